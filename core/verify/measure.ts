/** Runs a whole network from a given start and notes the numbers that the references have. */
import type { Backend, Session } from "../backend/backend.ts";
import { f32, type Graph, i32 } from "../graph/graph.ts";
import { adaptiveAvgPool2d, multiply, reshape } from "../nn/functional.ts";
import { Dropout } from "../nn/layers.ts";
import { Buffer, type Module, modules, stateDict } from "../nn/module.ts";
import { classificationLoss, type ModelOutput, scoresOf } from "../nn/output.ts";
import type { Tensor } from "../nn/tensor.ts";
import { Tracer } from "../nn/trace.ts";
import { hyperOf, type OptimizerOptions } from "../optim/optimizer.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { emitStep } from "../train/step.ts";
import { parameter } from "./fill.ts";

/** Where a measurement starts; the parameters and buffers are filled by their names. */
export interface Start {
  /** With the batch. */
  readonly shape: Shape;
  readonly x: ArrayLike<number>;
  readonly target: ArrayLike<number>;
  /** How many training steps to take, always on the same batch. */
  readonly steps: number;
  /** Of all that a forward in training returns. */
  readonly loss: "cross entropy" | "mean square";
}

export interface Measured {
  readonly logits_eval: ArrayLike<number>;
  readonly logits_train: ArrayLike<number>;
  /** Loss before each step. */
  readonly losses: readonly number[];
  /** Gradients of the first step. */
  readonly grad: ReadonlyMap<string, GradientSummary>;
  /** Running statistics after the first step: mean, first. */
  readonly buffers: ReadonlyMap<string, readonly [number, number]>;
}

export interface GradientSummary {
  readonly norm: number;
  readonly sum: number;
  /** Four entries, at stride ⌊n / 4⌋ from the first. */
  readonly entries: readonly number[];
  /** How many of the numbers belong to one output channel. */
  readonly fanIn: number;
}

/** The optimiser of the references. */
const SGD: OptimizerOptions = { name: "sgd", momentum: 0.9, weight_decay: 5e-4 };
const LR = 0.001;

/** Evaluates once, then takes training steps on the same batch. */
export async function measure(model: Module, start: Start, backend: Backend): Promise<Measured> {
  dropNothing(model);
  const evaluate = evaluateGraph(model, start.shape);
  const step = stepGraph(model, start);
  const session = backend.compile({ evaluate, step });
  try {
    writeStates(session, model, new Map([...evaluate.states, ...step.states]));
    session.write("evaluate", "x", start.x);
    session.write("step", "x", start.x);
    session.write("step", "target", start.target);
    await session.run("evaluate");
    const logits_eval = await session.read("evaluate", "logits");
    await runStep(session, 0);
    const first = {
      logits_train: await session.read("step", "logits"),
      grad: await readGradients(session, step),
      buffers: await readBuffers(session, model, step),
    };
    const losses = [await readLoss(session)];
    while (losses.length < start.steps) {
      await runStep(session, losses.length);
      losses.push(await readLoss(session));
    }
    return { logits_eval, ...first, losses };
  } finally {
    session.dispose();
  }
}

/** The references are made with dropout off: PyTorch draws other numbers. */
function dropNothing(model: Module): void {
  for (const module of modules(model)) {
    if (module instanceof Dropout) module.forward = (x) => x;
  }
}

function evaluateGraph(model: Module, shape: Shape): Graph {
  const tracer = new Tracer(model, { training: false });
  tracer.builder.output("logits", scoresOf(model.forward(tracer.input("x", f32(shape)))).value);
  return tracer.builder.finish();
}

/** One training step, with all that the references say about it as outputs. */
function stepGraph(model: Module, { shape, loss: kind }: Start): Graph {
  const tracer = new Tracer(model, { training: true });
  const { builder } = tracer;
  const output: ModelOutput = model.forward(tracer.input("x", f32(shape)));
  const target = tracer.input("target", i32(shape.slice(0, 1)));
  const loss = kind === "mean square" ? meanSquare(scoresOf(output)) : classificationLoss(output, target);
  builder.output("logits", scoresOf(output).value);
  builder.output("loss", loss.value);

  for (const { name, gradient } of emitStep(builder, model, loss.value, { optimizer: SGD })) {
    builder.output(GRAD + name, gradient);
  }
  return builder.finish();
}

const GRAD = "grad.";

function meanSquare(y: Tensor): Tensor {
  const squares = reshape(multiply(y, y), [1, 1, 1, sizeOf(y.shape)]);
  return reshape(adaptiveAvgPool2d(squares, 1), []);
}

/** Fills the states that graphs use: the network's, of which a state_dict may hold more, and zeros for the optimiser's. */
function writeStates(session: Session, model: Module, used: Graph["states"]): void {
  const own = stateDict(model);
  for (const [name, { shape }] of used) {
    session.writeState(name, own.has(name) ? parameter(name, shape) : new Float32Array(sizeOf(shape)));
  }
}

async function runStep(session: Session, step: number): Promise<void> {
  session.write("step", "hyper", hyperOf(SGD, step, LR));
  session.write("step", "factor", [1]);
  await session.run("step");
}

async function readLoss(session: Session): Promise<number> {
  return (await session.read("step", "loss"))[0]!;
}

async function readGradients(session: Session, step: Graph): Promise<Map<string, GradientSummary>> {
  const found = new Map<string, GradientSummary>();
  for (const [output, { shape }] of step.outputs) {
    if (!output.startsWith(GRAD)) continue;
    found.set(output.slice(GRAD.length), summarise(await session.read("step", output), shape));
  }
  return found;
}

/** The few numbers of a gradient that the references keep. */
export function summarise(grad: ArrayLike<number>, shape: Shape): GradientSummary {
  let squares = 0;
  let sum = 0;
  for (let i = 0; i < grad.length; i++) {
    squares += grad[i]! ** 2;
    sum += grad[i]!;
  }
  const stride = Math.max(1, Math.floor(grad.length / 4));
  const entries = [0, 1, 2, 3].map((i) => i * stride).filter((i) => i < grad.length).map((i) => grad[i]!);
  return { norm: Math.sqrt(squares), sum, entries, fanIn: sizeOf(shape.slice(1)) };
}

/** Buffers that no graph uses keep their start. */
async function readBuffers(
  session: Session,
  model: Module,
  step: Graph,
): Promise<Map<string, [number, number]>> {
  const found = new Map<string, [number, number]>();
  for (const [name, item] of stateDict(model)) {
    if (!(item instanceof Buffer)) continue;
    const values = step.states.has(name) ? await session.readState(name) : parameter(name, item.shape);
    const sum = Array.from(values).reduce((total, value) => total + value, 0);
    found.set(name, [sum / values.length, values[0]!]);
  }
  return found;
}
