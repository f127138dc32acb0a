/** A model with made-up data, ready to take the same step again and again. */
import type { Backend, Session } from "../backend/backend.ts";
import type { Graph } from "../graph/graph.ts";
import { type Module, trace } from "../nn/mod.ts";
import { hyperOf, type OptimizerOptions } from "../optim/optimizer.ts";
import { keyOf, philox, uniform } from "../random.ts";
import { sizeOf } from "../shape.ts";
import { classification } from "../train/classification.ts";
import { initGraph, trainGraph } from "../train/graphs.ts";

export type Mode = "train" | "infer";

export interface WorkloadOptions {
  readonly mode: Mode;
  readonly batch: number;
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
  /** For training. */
  readonly optimizer: OptimizerOptions;
}

export interface Workload {
  readonly session: Session;
  /** The session's graph that a step runs. */
  readonly graph: Graph;
  readonly name: Mode;
  /**
   * One step, with all that belongs to it: in training the batch of bytes in, forward, backward, the optimiser, the loss
   * out; in inference an array of images [N, C, H, W] in, the array of scores out.
   */
  step(): Promise<void>;
}

/** Small enough that no loss grows without bounds on the one batch that is repeated. */
const LR = 1e-4;

/** Makes the graphs, and draws the weights. Throws `OutOfMemory` and `ShapeError`. */
export async function prepareWorkload(
  backend: Backend,
  model: Module,
  options: WorkloadOptions,
): Promise<Workload> {
  const { mode } = options;
  const graph = workloadGraph(model, options);
  const session = backend.compile({ [mode]: graph, init: initGraph(model, graph) });
  session.write("init", "rng", [1, 2, 3, 4]);
  await session.run("init");
  const inputs = inputsOf(graph, options);
  const [output] = mode === "train" ? ["loss"] : graph.outputs.keys();
  return {
    session,
    graph,
    name: mode,
    async step() {
      for (const [name, data] of inputs) session.write(mode, name, data);
      await session.run(mode);
      await session.read(mode, output!);
    },
  };
}

/** What a step runs: for training as `train` has it, for inference from images to scores. */
export function workloadGraph(model: Module, { mode, batch, input, optimizer }: WorkloadOptions): Graph {
  if (mode === "infer") return trace(model, [batch, ...input], { training: false });
  const [channels, height, width] = input;
  const mean = Array.from({ length: channels }, () => 0.5), std = mean.map(() => 0.25);
  const images = { batch, channels, height, width, mean, std };
  return trainGraph(model, { images, optimizer, task: classification() });
}

/** Noise for everything that a graph takes. */
function inputsOf(graph: Graph, { batch, optimizer }: WorkloadOptions): Map<string, ArrayLike<number>> {
  const classes = classesOf(graph);
  return new Map([...graph.inputs].map(([name, { shape }]): [string, ArrayLike<number>] => {
    const count = sizeOf(shape);
    if (name === "x") return [name, noise(count, (word) => 2 * uniform(word) - 1, Float32Array)];
    if (name === "pixels") return [name, noise(count, (word) => word >>> 24, Uint8Array)];
    if (name === "target") return [name, Int32Array.from({ length: batch }, (_, i) => i % classes)];
    if (name === "hyper") return [name, hyperOf(optimizer, 1, LR)];
    if (name === "factor") return [name, [1]];
    return [name, Int32Array.from({ length: count }, (_, i) => name === "rng" ? i + 1 : 0)];
  }));
}

/** How many scores the loss is made of. */
function classesOf({ nodes }: Graph): number {
  const loss = nodes.find(({ op }) => op === "count_correct");
  return loss?.inputs[0]?.shape[1] ?? 1;
}

function noise<T extends Float32Array | Uint8Array>(
  count: number,
  toNumber: (word: number) => number,
  kind: new (length: number) => T,
): T {
  const numbers = new kind(count);
  const key = keyOf(0);
  // The same few thousand numbers over and over: nothing that is timed looks at them.
  const few = Array.from({ length: 1024 }, (_, i) => philox(key, [i, 0, 0, 0]).map(toNumber)).flat();
  for (let i = 0; i < count; i++) numbers[i] = few[i % few.length]!;
  return numbers;
}
