/** Whole networks: evaluation, a training step, its gradients, a few more steps. The file whole_models.json. */
import type { Backend, Session } from "../backend/backend.ts";
import { f32, type Graph, i32 } from "../graph/graph.ts";
import { adaptiveAvgPool2d, multiply, reshape } from "../nn/functional.ts";
import { Dropout } from "../nn/layers.ts";
import { Counter, type Module, namedModules, stateDict } from "../nn/module.ts";
import { classificationLoss, type ModelOutput, scoresOf } from "../nn/output.ts";
import type { Tensor } from "../nn/tensor.ts";
import { Tracer } from "../nn/trace.ts";
import { hyperOf, type OptimizerOptions, optimizerStateName, optimizerStates } from "../optim/optimizer.ts";
import { emitStep } from "../train/graphs.ts";
import type { Shape } from "../shape.ts";
import { sizeOf } from "../shape.ts";
import { type Case, type Comparison, maxError, maxMagnitude } from "./case.ts";
import { labels, parameter, signed } from "./fill.ts";
import { type Golden, named, tensor } from "./golden.ts";
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
    const used = usedStates(graphs);
    writeStart(session, model, used, name, entry);
    await session.run("evaluate");
    const comparisons = [await compareLogits(session, golden, name, entry, "evaluate")];
    session.write("step", "hyper", hyperOf(SGD, 0, LR));
    await session.run("step");
    comparisons.push(
      await compareLogits(session, golden, name, entry, "step"),
      ...await compareGradients(session, graphs.step, entry),
      ...await compareBuffers(session, model, used, entry),
      ...await compareLosses(session, golden, name, entry),
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

  for (const { name, gradient } of emitStep(builder, model, loss.value, SGD)) {
    builder.output(gradName(name), gradient);
  }
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

/** Names of the states that some graph uses; a state_dict may hold more. */
type UsedStates = ReadonlySet<string>;

function usedStates(graphs: { evaluate: Graph; step: Graph }): UsedStates {
  return new Set([...graphs.evaluate.states.keys(), ...graphs.step.states.keys()]);
}

function writeStart(
  session: Session,
  model: Module,
  used: UsedStates,
  name: string,
  entry: ModelEntry,
): void {
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
  const limits = networkTolerances(entry.torch_float32);
  const largestNorm = maxMagnitude(Object.values(entry.grad).map(([norm = 0]) => norm));
  const comparisons: Comparison[] = [];
  for (const [name, expected] of Object.entries(entry.grad)) {
    const value = step.outputs.get(gradName(name));
    if (!value) {
      comparisons.push({ what: `grad ${name} (there is none)`, error: NaN, tolerance: 0 });
      continue;
    }
    const [norm, sum, ...entries] = summarise(
      await session.read("step", gradName(name)),
      expected.length - 2,
    ) as [number, number, ...number[]];
    const [expectedNorm = NaN, expectedSum = NaN, ...expectedEntries] = expected;
    const limit = limits.gradient(expectedNorm, largestNorm, sizeOf(value.shape.slice(1)));
    comparisons.push(
      { what: `norm of grad ${name}`, error: Math.abs(norm - expectedNorm), ...limit.norm },
      { what: `sum of grad ${name}`, error: Math.abs(sum - expectedSum), ...limit.sum },
      { what: `entries of grad ${name}`, error: maxError(entries, expectedEntries), ...limit.entries },
    );
  }
  const known = new Set(Object.keys(entry.grad).map(gradName));
  const unknown = [...step.outputs.keys()].filter((name) =>
    name.startsWith(gradName("")) && !known.has(name)
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

async function compareBuffers(
  session: Session,
  model: Module,
  used: UsedStates,
  entry: ModelEntry,
): Promise<Comparison[]> {
  const limits = networkTolerances(entry.torch_float32);
  const shapes = stateDict(model);
  const comparisons: Comparison[] = [];
  for (const [name, expected] of Object.entries(entry.buffers)) {
    const shape = shapes.get(name)?.shape ?? [];
    // What no graph uses keeps its start.
    const values = used.has(name) ? await session.readState(name) as Float32Array : parameter(name, shape);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const error = maxError([mean, values[0] ?? NaN], expected);
    comparisons.push({ what: name, error, ...limits.buffer(deviationOf(entry, name)) });
  }
  return comparisons;
}

/** Size of the numbers that a running statistic sums up: the standard deviation for a mean, the variance for itself. */
function deviationOf({ buffers }: ModelEntry, name: string): number {
  const variance = maxMagnitude(buffers[name.replace(/running_mean$/, "running_var")] ?? [1]);
  return name.endsWith("running_mean") ? Math.sqrt(variance) : variance;
}

async function compareLosses(
  session: Session,
  golden: Golden,
  name: string,
  entry: ModelEntry,
): Promise<Comparison[]> {
  const limits = networkTolerances(entry.torch_float32);
  const largestLogit = maxMagnitude(tensor(golden, `${name}/logits_train`).data);
  const lossOf = async () => (await session.read("step", "loss"))[0] ?? NaN;
  const error = Math.abs(await lossOf() - entry.loss);
  const comparisons: Comparison[] = [{ what: "loss", error, ...limits.loss(entry.loss, largestLogit) }];
  const losses = entry.sgd_losses ?? [];
  for (const [step, limit] of limits.sgd(losses, largestLogit).entries()) {
    if (step > 0) {
      session.write("step", "hyper", hyperOf(SGD, step, LR));
      await session.run("step");
    }
    const error = Math.abs(await lossOf() - (losses[step] ?? NaN));
    comparisons.push({ what: `sgd_losses[${step}]`, error, ...limit });
  }
  return comparisons;
}
