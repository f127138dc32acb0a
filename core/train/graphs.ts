/** The graphs of a training session: draw the initial values, train on a batch, evaluate a batch. */
import { GraphBuilder } from "../graph/builder.ts";
import { f32, type Graph, i32, type Value } from "../graph/graph.ts";
import { gradient } from "../graph/gradient.ts";
import { Buffer, type Module, namedParameters, Parameter, stateDict } from "../nn/module.ts";
import { crossEntropy } from "../nn/functional.ts";
import { classificationLoss, type ModelOutput, scoresOf } from "../nn/output.ts";
import type { Tensor } from "../nn/tensor.ts";
import { Tracer } from "../nn/trace.ts";
import { emitUpdate, type OptimizerOptions, type Trained } from "../optim/optimizer.ts";
import { sizeOf } from "../shape.ts";

/** A batch of images as bytes, and what becomes of them, see op image_batch. */
export interface BatchShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface TrainGraphOptions {
  readonly images: BatchShape;
  readonly optimizer: OptimizerOptions;
  readonly label_smoothing: number;
}

/**
 * One training step. Inputs: `pixels`, `moves`, `target`, `hyper`, and `rng` where the model has dropout. Outputs: `loss`
 * (the mean over the batch), `correct` (how many were right).
 */
export function trainGraph(model: Module, options: TrainGraphOptions): Graph {
  const tracer = new Tracer(model, { training: true });
  const { builder } = tracer;
  const { output, target } = classify(tracer, model, options.images);
  const loss = classificationLoss(output, target, { label_smoothing: options.label_smoothing });
  const [correct] = builder.emit("count_correct", [scoresOf(output).value, target.value], { k: 1 });
  builder.output("loss", loss.value);
  builder.output("correct", correct!);

  emitStep(builder, model, loss.value, options.optimizer);
  return builder.finish();
}

/** The forward part of a training step, up to the scores. Inputs: as `trainGraph`'s, without `hyper`; no outputs. */
export function forwardGraph(model: Module, images: BatchShape): Graph {
  const tracer = new Tracer(model, { training: true });
  classify(tracer, model, images);
  return tracer.builder.finish();
}

/** Elements of gradients that are worth an update of their own: 1 MiB. */
const UPDATE_ELEMENTS = 2 ** 18;

/**
 * Appends the loss's gradients and the optimiser's steps. Returns what it trains, with the gradients. Parameters are
 * updated as soon as there are enough gradients, which are then still in the caches and free their memory early.
 */
export function emitStep(
  builder: GraphBuilder,
  model: Module,
  loss: Value,
  optimizer: OptimizerOptions,
): readonly Trained[] {
  // A parameter that is frozen, that forward never uses, or that the loss does not depend on, is not trained.
  const used = [...namedParameters(model)].flatMap(([name, { requires_grad }]) => {
    const parameter = builder.states.get(name);
    return parameter && requires_grad ? [parameter] : [];
  });
  const [seed] = builder.emit("fill", [], { shape: loss.shape, value: 1 });
  const trained: Trained[] = [];
  let updated = 0;
  let elements = 0;
  const update = () => {
    if (updated < trained.length) emitUpdate(builder, optimizer, loss, trained.slice(updated));
    updated = trained.length;
    elements = 0;
  };
  gradient(builder, loss, seed!, used, (parameter, gradient) => {
    trained.push({ name: parameter.name, parameter, gradient });
    elements += sizeOf(parameter.shape);
    if (elements >= UPDATE_ELEMENTS) update();
  });
  update();
  return trained;
}

/**
 * Scores a batch. Inputs: `pixels`, `moves`, `target`; a target of −1 marks a sample that does not count. Outputs: `loss`
 * (the sum over the samples that count), `correct`, `scores`.
 */
export function evaluateGraph(model: Module, images: BatchShape): Graph {
  const tracer = new Tracer(model, { training: false });
  const { builder } = tracer;
  const { output, target } = classify(tracer, model, images);
  const scores = scoresOf(output);
  const [correct] = builder.emit("count_correct", [scores.value, target.value], { k: 1 });
  builder.output("loss", crossEntropy(scores, target, { reduction: "sum" }).value);
  builder.output("correct", correct!);
  builder.output("scores", scores.value);
  return builder.finish();
}

/** Draws every parameter and buffer, and clears what else `train` keeps: the optimiser's states. Input: `rng`. */
export function initGraph(model: Module, train?: Graph): Graph {
  const builder = new GraphBuilder();
  const rng = builder.input("rng", i32([4]));
  let stream = 0;
  for (const [name, item] of stateDict(model)) {
    if (!(item instanceof Parameter || item instanceof Buffer)) continue;
    const state = builder.state(name, f32(item.shape));
    const { init } = item;
    if (init.kind === "constant") builder.emit("init_constant", [state], { value: init.value });
    else if (init.kind === "uniform") {
      builder.emit("init_uniform", [state, rng], { low: init.low, high: init.high, stream: stream++ });
    } else builder.emit("init_normal", [state, rng], { mean: init.mean, std: init.std, stream: stream++ });
  }
  for (const [name, type] of train?.states ?? []) {
    if (!builder.states.has(name)) builder.emit("init_constant", [builder.state(name, type)], { value: 0 });
  }
  return builder.finish();
}

/** All graphs of a run, by name. */
export function sessionGraphs(model: Module, options: TrainGraphOptions): Record<string, Graph> {
  const train = trainGraph(model, options);
  return { init: initGraph(model, train), train, evaluate: evaluateGraph(model, options.images) };
}

function classify(
  tracer: Tracer,
  model: Module,
  images: BatchShape,
): { output: ModelOutput; target: Tensor } {
  const { batch, height, width, channels, mean, std } = images;
  const pixels = tracer.input("pixels", { shape: [batch, height, width, channels], dtype: "u8" });
  const moves = tracer.input("moves", i32([batch, 3]));
  const target = tracer.input("target", i32([batch]));
  const crop = [height, width] as const;
  const x = tracer.apply("image_batch", [pixels.value, moves.value], { mean, std, crop });
  return { output: model.forward(x), target };
}
