/** Whole networks: evaluation, a training step, its gradients, a few more steps. The file whole_models.json. */
import type { Backend, Session } from "../backend/backend.ts";
import { gradient } from "../graph/gradient.ts";
import { f32, type Graph, i32 } from "../graph/graph.ts";
import { adaptiveAvgPool2d, multiply, reshape } from "../nn/functional.ts";
import { Dropout } from "../nn/layers.ts";
import { Counter, type Module, namedModules, namedParameters, stateDict } from "../nn/module.ts";
import { classificationLoss, type ModelOutput, scoresOf } from "../nn/output.ts";
import type { Tensor } from "../nn/tensor.ts";
import { Tracer } from "../nn/trace.ts";
import {
  emitUpdate,
  hyperOf,
  type OptimizerOptions,
  optimizerStateName,
  optimizerStates,
} from "../optim/optimizer.ts";
import type { Shape } from "../shape.ts";
import { sizeOf } from "../shape.ts";
import { type Case, type Comparison, maxError, maxMagnitude } from "./case.ts";
import { labels, parameter, signed } from "./fill.ts";
import { type Golden, GoldenError, named, tensor } from "./golden.ts";
import { createNetwork, type Networks } from "./networks.ts";
import { type Float32Errors, networkTolerances } from "./tolerance.ts";

export interface ModelEntry {
  readonly batch: number;
  /** Channels, height, width. */
  readonly input: Shape;
  readonly classes: number;
  readonly loss: number;
  /** Per parameter: L2 norm, sum, then entries at stride ⌊n / (number of entries)⌋. */
  readonly grad: Readonly<Record<string, readonly number[]>>;
  /** Running statistics after the first step: mean, first. */
  readonly buffers: Readonly<Record<string, readonly [number, number]>>;
  /** Loss before each step, always on the same batch. */
  readonly sgd_losses: readonly number[] | null;
  readonly torch_float32: Float32Errors;
}

const SGD: OptimizerOptions = { name: "sgd", momentum: 0.9, weight_decay: 5e-4 };
const LR = 0.001;

export function modelCases(golden: Golden, networks: Networks): Case[] {
  return named<ModelEntry>(golden, "whole_models").map(([name, entry]) => ({
    name: `model/${name}`,
    run: (backend) => runModel(golden, name, entry, networks, backend),
  }));
}

async function runModel(
  golden: Golden,
  name: string,
  entry: ModelEntry,
  networks: Networks,
  backend: Backend,
): Promise<Comparison[]> {
  const model = createNetwork(networks, name, entry.input[0] ?? 0, entry.classes);
  dropNothing(model);
  // A network with other numbers than scores of classes is a detector.
  const lossOf = networks[name]?.outputs === undefined ? classificationLoss : meanSquare;
  const graphs = { evaluate: evaluateGraph(model, entry), step: stepGraph(model, entry, lossOf) };
  const session = backend.compile(graphs);
  try {
    writeStart(session, graphs, model, name, entry);
    await session.run("evaluate");
    const comparisons = [await compareLogits(session, golden, name, entry, "evaluate")];
    session.write("step", "hyper", hyperOf(SGD, 0, LR));
    await session.run("step");
    comparisons.push(
      await compareLogits(session, golden, name, entry, "step"),
      ...await compareGradients(session, graphs.step, entry),
      ...await compareBuffers(session, entry),
      ...await compareLosses(session, entry),
    );
    return comparisons;
  } finally {
    session.dispose();
  }
}

/** The references are made with dropout off: PyTorch draws other numbers. */
function dropNothing(model: Module): void {
  for (const module of namedModules(model).keys()) {
    if (module instanceof Dropout) module.forward = (x) => x;
  }
}

function inputOf({ batch, input }: ModelEntry): Shape {
  return [batch, ...input];
}

function evaluateGraph(model: Module, entry: ModelEntry): Graph {
  const tracer = new Tracer(model, { training: false });
  const scores = model.forward(tracer.input("x", f32(inputOf(entry))));
  tracer.builder.output("logits", scoresOf(scores).value);
  return tracer.builder.finish();
}

/** One training step, with everything that the reference has to say about it as outputs. */
function stepGraph(
  model: Module,
  entry: ModelEntry,
  lossOf: (output: ModelOutput, target: Tensor) => Tensor,
): Graph {
  const tracer = new Tracer(model, { training: true });
  const { builder } = tracer;
  const output: ModelOutput = model.forward(tracer.input("x", f32(inputOf(entry))));
  const loss = lossOf(output, tracer.input("target", i32([entry.batch])));
  builder.output("logits", scoresOf(output).value);
  builder.output("loss", loss.value);

  const used = [...namedParameters(model).keys()].flatMap((name) => {
    const state = builder.states.get(name);
    return state ? [{ name, parameter: state }] : [];
  });
  const [seed] = builder.emit("fill", [], { shape: [], value: 1 });
  const grads = gradient(builder, loss.value, seed!, used.map((item) => item.parameter));
  const trained = used.flatMap((item) => {
    const grad = grads.get(item.parameter);
    return grad ? [{ ...item, gradient: grad }] : [];
  });
  for (const item of trained) builder.output(gradName(item.name), item.gradient);
  emitUpdate(builder, SGD, trained);
  return builder.finish();
}

function gradName(parameter: string): string {
  return `grad.${parameter}`;
}

/** Detectors have no loss of their own in these files: the mean of the squares of all that comes out. */
function meanSquare(output: ModelOutput): Tensor {
  const y = scoresOf(output);
  const squares = reshape(multiply(y, y), [1, 1, 1, sizeOf(y.shape)]);
  return reshape(adaptiveAvgPool2d(squares, 1), []);
}

function writeStart(
  session: Session,
  graphs: { evaluate: Graph; step: Graph },
  model: Module,
  name: string,
  entry: ModelEntry,
): void {
  const used = { has: (state: string) => graphs.evaluate.states.has(state) || graphs.step.states.has(state) };
  for (const [key, item] of stateDict(model)) {
    if (item instanceof Counter || !used.has(key)) continue;
    session.writeState(key, parameter(key, item.shape));
    for (const state of optimizerStates(SGD)) {
      const kept = optimizerStateName(state, key);
      if (used.has(kept)) session.writeState(kept, new Float32Array(sizeOf(item.shape)));
    }
  }
  const x = signed(`${name}/x`, inputOf(entry), 2);
  session.write("evaluate", "x", x);
  session.write("step", "x", x);
  session.write("step", "target", labels(`${name}/y`, entry.batch, entry.classes));
}

async function compareLogits(
  session: Session,
  golden: Golden,
  name: string,
  entry: ModelEntry,
  graph: "evaluate" | "step",
): Promise<Comparison> {
  const what = graph === "evaluate" ? "logits_eval" : "logits_train";
  const expected = tensor(golden, `${name}/${what}`).data;
  const error = maxError(await session.read(graph, "logits"), expected);
  return { what, error, ...networkTolerances(entry.torch_float32)[what](maxMagnitude(expected)) };
}

async function compareGradients(session: Session, step: Graph, entry: ModelEntry): Promise<Comparison[]> {
  const { gradient: limits } = networkTolerances(entry.torch_float32);
  const comparisons: Comparison[] = [];
  for (const [name, expected] of Object.entries(entry.grad)) {
    const what = gradName(name);
    if (!step.outputs.has(what)) {
      comparisons.push({ what: `${what} (there is none)`, error: NaN, tolerance: 0 });
      continue;
    }
    const grad = await session.read("step", what);
    const actual = summarise(grad, expected.length - 2);
    const [norm, sum, entries] = limits(expected, grad.length, largestNorm(entry, name));
    comparisons.push({ what: `${what} norm`, error: Math.abs(actual[0]! - expected[0]!), ...norm });
    comparisons.push({ what: `${what} sum`, error: Math.abs(actual[1]! - expected[1]!), ...sum });
    const error = maxError(actual.slice(2), expected.slice(2));
    comparisons.push({ what: `${what} entries`, error, ...entries });
  }
  const unknown = [...step.outputs.keys()].filter((key) =>
    key.startsWith(gradName("")) && !(key.slice(gradName("").length) in entry.grad)
  );
  comparisons.push({ what: "gradients that PyTorch does not have", error: unknown.length, tolerance: 0 });
  return comparisons;
}

/** L2 norm, sum, and entries at equal strides from the first. */
export function summarise(grad: ArrayLike<number>, entries: number): number[] {
  let squares = 0;
  let sum = 0;
  for (let i = 0; i < grad.length; i++) {
    squares += grad[i]! ** 2;
    sum += grad[i]!;
  }
  const stride = Math.max(1, Math.floor(grad.length / entries));
  return [Math.sqrt(squares), sum, ...Array.from({ length: entries }, (_, i) => grad[i * stride]!)];
}

/** The largest gradient norm among the parameters of the same module and the modules beside it. */
function largestNorm({ grad }: ModelEntry, _name: string): number {
  return Math.max(...Object.values(grad).map(([norm]) => norm ?? 0));
}

async function compareBuffers(session: Session, entry: ModelEntry): Promise<Comparison[]> {
  const { buffer: limit } = networkTolerances(entry.torch_float32);
  const comparisons: Comparison[] = [];
  for (const [name, expected] of Object.entries(entry.buffers)) {
    const values = await session.readState(name);
    const mean = (values as Float32Array).reduce((sum, value) => sum + value, 0) / values.length;
    comparisons.push({
      what: name,
      error: maxError([mean, values[0]!], expected),
      ...limit(maxMagnitude(expected)),
    });
  }
  return comparisons;
}

async function compareLosses(session: Session, entry: ModelEntry): Promise<Comparison[]> {
  const { loss, sgd } = networkTolerances(entry.torch_float32);
  const lossOf = async () => (await session.read("step", "loss"))[0] ?? NaN;
  const comparisons = [{ what: "loss", error: Math.abs(await lossOf() - entry.loss), ...loss(entry.loss) }];
  const expected = entry.sgd_losses ?? [];
  const limits = expected.length > 0 ? sgd(expected) : [];
  for (const [step, value] of expected.entries()) {
    if (step > 0) {
      session.write("step", "hyper", hyperOf(SGD, step, LR));
      await session.run("step");
    }
    const limit = limits[step];
    if (!limit) throw new GoldenError("the golden files lack PyTorch's own losses");
    comparisons.push({ what: `sgd_losses[${step}]`, error: Math.abs(await lossOf() - value), ...limit });
  }
  return comparisons;
}
