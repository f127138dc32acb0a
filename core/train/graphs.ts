/** The graphs of a training session: draw the initial values, train on a batch, evaluate a batch. */
import { GraphBuilder } from "../graph/builder.ts";
import { f32, type Graph, i32 } from "../graph/graph.ts";
import { Buffer, type Module, Parameter, stateDict } from "../nn/module.ts";
import type { ModelOutput } from "../nn/output.ts";
import type { Tensor } from "../nn/tensor.ts";
import { Tracer } from "../nn/trace.ts";
import { averageName, emitStep, type StepOptions } from "./step.ts";
import type { Task } from "./task.ts";

/** A batch of images as bytes, and what becomes of them, see op image_batch. */
export interface BatchShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface TrainGraphOptions extends StepOptions {
  readonly images: BatchShape;
  readonly task: Task;
}

/**
 * One training step. Inputs: `pixels`, `moves`, `target`, `hyper`, `factor`; `rng` where the model has dropout; others see
 * `emitStep` and the task. Outputs: `loss` (the mean over the batch), and the task's.
 */
export function trainGraph(model: Module, options: TrainGraphOptions): Graph {
  const { images, task } = options;
  const tracer = new Tracer(model, { training: true });
  const { builder } = tracer;
  const target = targetInput(tracer, images, task);
  const loss = task.loss(tracer, forward(tracer, model, images, task), target);
  builder.output("loss", loss.value);

  emitStep(builder, model, loss.value, options);
  return builder.finish();
}

/** The forward part of a training step, up to the scores. Inputs: those of `trainGraph` that it needs; no outputs. */
export function forwardGraph(model: Module, images: BatchShape, task: Task): Graph {
  const tracer = new Tracer(model, { training: true });
  forward(tracer, model, images, task);
  return tracer.builder.finish();
}

/**
 * Judges a batch, by the moving averages of those states that have one in `train`. Inputs: `pixels`, `moves`, `target`,
 * which may say of a sample that it does not count. Outputs: `loss` (the sum over the samples that count), and the task's.
 */
export function evaluateGraph(model: Module, images: BatchShape, task: Task, train?: Graph): Graph {
  const stateName = (name: string) => train?.states.has(averageName(name)) ? averageName(name) : name;
  const tracer = new Tracer(model, { training: false, stateName });
  const target = targetInput(tracer, images, task);
  task.answers(tracer, model.forward(imageInput(tracer, images)), target);
  return tracer.builder.finish();
}

/**
 * Draws every parameter and buffer, with the same numbers for its moving average, and clears what else `train` keeps: the
 * optimiser's states. Input: `rng`.
 */
export function initGraph(model: Module, train?: Graph): Graph {
  const builder = new GraphBuilder();
  const rng = builder.input("rng", i32([4]));
  let stream = 0;
  for (const [name, item] of stateDict(model)) {
    if (!(item instanceof Parameter || item instanceof Buffer)) continue;
    const { init } = item;
    const own = init.kind === "constant" ? 0 : stream++;
    const average = averageName(name);
    for (const copy of train?.states.has(average) ? [name, average] : [name]) {
      const state = builder.state(copy, f32(item.shape));
      if (init.kind === "constant") builder.emit("init_constant", [state], { value: init.value });
      else if (init.kind === "uniform") {
        builder.emit("init_uniform", [state, rng], { low: init.low, high: init.high, stream: own });
      } else builder.emit("init_normal", [state, rng], { mean: init.mean, std: init.std, stream: own });
    }
  }
  for (const [name, type] of train?.states ?? []) {
    if (!builder.states.has(name)) builder.emit("init_constant", [builder.state(name, type)], { value: 0 });
  }
  return builder.finish();
}

/** All graphs of a run, by name. */
export function sessionGraphs(
  model: Module,
  options: TrainGraphOptions,
): Record<"init" | "train" | "evaluate", Graph> {
  const train = trainGraph(model, options);
  return {
    init: initGraph(model, train),
    train,
    evaluate: evaluateGraph(model, options.images, options.task, train),
  };
}

function targetInput(tracer: Tracer, { batch }: BatchShape, { target: { dtype, shape } }: Task): Tensor {
  return tracer.input("target", { dtype, shape: [batch, ...shape] });
}

/** What the network makes of a training batch. */
function forward(tracer: Tracer, model: Module, images: BatchShape, task: Task): ModelOutput {
  const x = imageInput(tracer, images);
  return model.forward(task.input ? task.input(tracer, x) : x);
}

/** What a network takes, from a batch of bytes. Inputs: `pixels`, `moves`. */
export function imageInput(
  tracer: Tracer,
  { batch, height, width, channels, mean, std }: BatchShape,
): Tensor {
  const pixels = tracer.input("pixels", { shape: [batch, height, width, channels], dtype: "u8" });
  const moves = tracer.input("moves", i32([batch, 3]));
  const crop = [height, width] as const;
  return tracer.apply("image_batch", [pixels.value, moves.value], { mean, std, crop });
}
