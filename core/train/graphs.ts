/** The graphs of a training session: draw the initial values, train on a batch, evaluate a batch. */
import { GraphBuilder } from "../graph/builder.ts";
import { f32, type Graph, i32 } from "../graph/graph.ts";
import { Buffer, type Module, Parameter, stateDict } from "../nn/module.ts";
import { add, crossEntropy, multiply } from "../nn/functional.ts";
import { classificationLoss, type ModelOutput, scoresOf } from "../nn/output.ts";
import type { Tensor } from "../nn/tensor.ts";
import { Tracer } from "../nn/trace.ts";
import { averageName, emitStep, type StepOptions } from "./step.ts";

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
  readonly label_smoothing: number;
  /** Whether images are mixed with each other, see core/train/mix.ts. */
  readonly mix?: boolean;
}

/**
 * One training step. Inputs: `pixels`, `moves`, `target`, `hyper`, `factor`; `rng` where the model has dropout; `mix`,
 * `target_share` and `partner_share` where images are mixed; others see `emitStep`. Outputs: `loss` (the mean over the batch), `correct` (how
 * many were right by `target`).
 */
export function trainGraph(model: Module, options: TrainGraphOptions): Graph {
  const { images, label_smoothing, mix = false } = options;
  const tracer = new Tracer(model, { training: true });
  const { builder } = tracer;
  const { output, target } = classify(tracer, model, images, mix);
  const lossTo = (target: Tensor) => classificationLoss(output, target, { label_smoothing });
  const loss = mix ? mixedLoss(tracer, target, lossTo) : lossTo(target);
  const [correct] = builder.emit("count_correct", [scoresOf(output).value, target.value], { k: 1 });
  builder.output("loss", loss.value);
  builder.output("correct", correct!);

  emitStep(builder, model, loss.value, options);
  return builder.finish();
}

/** The loss to the own target and that to the partner's, each with its share. */
function mixedLoss(tracer: Tracer, target: Tensor, lossTo: (target: Tensor) => Tensor): Tensor {
  const share = (name: string) => tracer.input(name, f32([]));
  const partners = tracer.apply("flip", [target.value], {});
  return add(
    multiply(lossTo(target), share("target_share")),
    multiply(lossTo(partners), share("partner_share")),
  );
}

/** The forward part of a training step, up to the scores. Inputs: those of `trainGraph` that it needs; no outputs. */
export function forwardGraph(model: Module, images: BatchShape, mix = false): Graph {
  const tracer = new Tracer(model, { training: true });
  classify(tracer, model, images, mix);
  return tracer.builder.finish();
}

/**
 * Scores a batch, by the moving averages of those states that have one in `train`. Inputs: `pixels`, `moves`, `target`; a
 * target of −1 marks a sample that does not count. Outputs: `loss` (the sum over the samples that count), `correct`,
 * `scores`.
 */
export function evaluateGraph(model: Module, images: BatchShape, train?: Graph): Graph {
  const stateName = (name: string) => train?.states.has(averageName(name)) ? averageName(name) : name;
  const tracer = new Tracer(model, { training: false, stateName });
  const { builder } = tracer;
  const { output, target } = classify(tracer, model, images);
  const scores = scoresOf(output);
  const [correct] = builder.emit("count_correct", [scores.value, target.value], { k: 1 });
  builder.output("loss", crossEntropy(scores, target, { reduction: "sum" }).value);
  builder.output("correct", correct!);
  builder.output("scores", scores.value);
  return builder.finish();
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
export function sessionGraphs(model: Module, options: TrainGraphOptions): Record<string, Graph> {
  const train = trainGraph(model, options);
  return { init: initGraph(model, train), train, evaluate: evaluateGraph(model, options.images, train) };
}

function classify(
  tracer: Tracer,
  model: Module,
  images: BatchShape,
  mix = false,
): { output: ModelOutput; target: Tensor } {
  const x = imageInput(tracer, images);
  const target = tracer.input("target", i32([images.batch]));
  const mixed = () => tracer.apply("mix_images", [x.value, tracer.input("mix", f32([5])).value], {});
  return { output: model.forward(mix ? mixed() : x), target };
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
