/** A model with made-up data, ready to take the same step again and again. */
import type { Backend, NumberArray, ReadOutput, Session } from "../backend/backend.ts";
import { isDetectionModel } from "../detect/model.ts";
import { fillTarget } from "../detect/targets.ts";
import type { Graph } from "../graph/graph.ts";
import { type Module, trace } from "../nn/mod.ts";
import { hyperOf, type OptimizerOptions } from "../optim/optimizer.ts";
import { type MapShape, TARGET_CELL } from "../ops/yolo_loss.ts";
import { keyOf, philox, uniform } from "../random.ts";
import { sizeOf } from "../shape.ts";
import { initGraph, trainGraph } from "../train/graphs.ts";
import { taskOf } from "../train/task_of.ts";

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
   * Takes steps with all that belongs to them: in training the batch of bytes in, forward, backward, the optimiser, the loss
   * out; in inference an array of images [N, C, H, W] in, the array of scores out. As many are under way as `train` has.
   * Returns what the last one gave: its loss, or its scores.
   */
  take(steps: number): Promise<NumberArray>;
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
  const graph = workloadGraph(model, options, backend);
  const session = backend.compile({ [mode]: graph, init: initGraph(model, graph) });
  session.write("init", "rng", [1, 2, 3, 4]);
  await session.run("init");
  const inputs = inputsOf(model, graph, options);
  const [output] = mode === "train" ? ["loss"] : graph.outputs.keys();
  return {
    session,
    graph,
    name: mode,
    async take(steps) {
      const underWay: ReadOutput[] = [];
      let begun = 0, last: NumberArray | undefined;
      for (let taken = 0; taken < steps; taken++) {
        while (begun < steps && underWay.length < session.depth(mode)) {
          for (const [name, data] of inputs) session.write(mode, name, data);
          underWay.push(await session.begin(mode));
          begun++;
        }
        last = await underWay.shift()!(output!);
      }
      return last!;
    },
  };
}

/** What a step runs: for training as `train` has it, for inference from images to scores. */
export function workloadGraph(
  model: Module,
  { mode, batch, input, optimizer }: WorkloadOptions,
  { updateBytes }: Pick<Backend, "updateBytes"> = {},
): Graph {
  if (mode === "infer") return trace(model, [batch, ...input], { training: false });
  const [channels, height, width] = input;
  const mean = Array.from({ length: channels }, () => 0.5), std = mean.map(() => 0.25);
  const images = { batch, channels, height, width, mean, std };
  const update = updateBytes === undefined ? {} : { update_bytes: updateBytes };
  return trainGraph(model, { images, optimizer, task: taskOf(model), ...update });
}

/** Noise for everything that a graph takes. */
function inputsOf(
  model: Module,
  graph: Graph,
  { batch, optimizer }: WorkloadOptions,
): Map<string, ArrayLike<number>> {
  return new Map([...graph.inputs].map(([name, { shape }]): [string, ArrayLike<number>] => {
    const count = sizeOf(shape);
    if (name === "x") return [name, noise(count, (word) => 2 * uniform(word) - 1, Float32Array)];
    if (name === "pixels") return [name, noise(count, (word) => word >>> 24, Uint8Array)];
    if (name === "target") {
      return [name, isDetectionModel(model) ? boxes(count, model.map) : classes(batch, graph)];
    }
    if (name === "hyper") return [name, hyperOf(optimizer, 1, LR)];
    if (name === "factor") return [name, [1]];
    return [name, Int32Array.from({ length: count }, (_, i) => name === "rng" ? i + 1 : 0)];
  }));
}

/** Of each image another class, of as many as the loss has scores. */
function classes(batch: number, { nodes }: Graph): Int32Array {
  const loss = nodes.find(({ op }) => op === "count_correct");
  const scores = loss?.inputs[0]?.shape[1] ?? 1;
  return Int32Array.from({ length: batch }, (_, i) => i % scores);
}

/** Of all images the same two objects: about as many as VOC's have. */
function boxes(count: number, { split_size, num_classes }: MapShape): Float32Array {
  const target = new Float32Array(split_size * split_size * TARGET_CELL);
  const whole = { difficult: false, truncated: false };
  const objects = [
    { label: 0, box: { x1: 0.1, y1: 0.1, x2: 0.4, y2: 0.7 }, ...whole },
    { label: num_classes - 1, box: { x1: 0.3, y1: 0.5, x2: 0.9, y2: 0.9 }, ...whole },
  ];
  fillTarget(target, { width: 1, height: 1, objects }, split_size);
  return Float32Array.from({ length: count }, (_, i) => target[i % target.length]!);
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
