/** Ops as functions of tensors, under PyTorch's names (torch.nn.functional) and with its defaults. */
import { UserError } from "../errors.ts";
import type { Value } from "../graph/graph.ts";
import { ShapeError } from "../graph/builder.ts";
import { emitLinear } from "../graph/linear.ts";
import { formatShape, joinAxes, type Padding, type Pair, pair, type Shape, sides } from "../shape.ts";
import { expectOptions } from "./options.ts";
import { Tensor } from "./tensor.ts";

/** Keras's names for padding: `same` gives ⌈extent / stride⌉, `valid` uses no padding. */
export type NamedPadding = "same" | "valid";

/** How a window moves over an image, in pixels. Stride and dilation are 1, padding 0 and groups 1 by default. */
export interface Conv2dOptions {
  readonly stride?: Pair;
  readonly padding?: Padding | NamedPadding;
  readonly dilation?: Pair;
  /** Parts that the channels are cut into; each part of the output is made from one part of the input. */
  readonly groups?: number;
}

/** A cross-correlation of `x [N, C, H, W]` with `weight [O, C / groups, kH, kW]`, plus `bias [O]`: `[N, O, OH, OW]`. */
export function conv2d(
  x: Tensor,
  weight: Value,
  bias: Value | undefined,
  options: Conv2dOptions = {},
): Tensor {
  const stride = pair(options.stride ?? 1);
  const dilation = pair(options.dilation ?? 1);
  const kernel: Pair = [weight.shape[2] ?? 1, weight.shape[3] ?? 1];
  const padding = resolvePadding(options.padding ?? 0, x.shape, kernel, stride, dilation);
  const inputs = bias ? [x.value, weight, bias] : [x.value, weight];
  return x.tracer.apply("conv2d", inputs, { stride, padding, dilation, groups: options.groups ?? 1 });
}

/** `x [*, in] · weightᵀ [in, out] + bias`, along the last axis of any number. */
export function linear(x: Tensor, weight: Value, bias?: Value): Tensor {
  return new Tensor(x.tracer, emitLinear(x.tracer.builder.emit, x.value, weight, bias));
}

/** max(x, 0) */
export function relu(x: Tensor): Tensor {
  return x.tracer.apply("relu", [x.value], {});
}

/** x > 0 ? x : negative_slope · x */
export function leakyRelu(x: Tensor, negative_slope = 0.01): Tensor {
  return x.tracer.apply("leaky_relu", [x.value], { negative_slope });
}

/** min(max(x, 0), 6) */
export function relu6(x: Tensor): Tensor {
  return x.tracer.apply("relu6", [x.value], {});
}

/** 1 / (1 + exp(−x)) */
export function sigmoid(x: Tensor): Tensor {
  return x.tracer.apply("sigmoid", [x.value], {});
}

/** The hyperbolic tangent of every element. */
export function tanh(x: Tensor): Tensor {
  return x.tracer.apply("tanh", [x.value], {});
}

/** exp(x) / Σ exp(x) along `dim`. */
export function softmax(x: Tensor, dim = -1): Tensor {
  return x.tracer.apply("softmax", [x.value], { dim: axis(x, dim) });
}

/** x − log Σ exp(x) along `dim`. */
export function logSoftmax(x: Tensor, dim = -1): Tensor {
  return x.tracer.apply("log_softmax", [x.value], { dim: axis(x, dim) });
}

/** Zeroes elements with probability p in training, and scales the rest by 1 / (1 − p). */
export function dropout(x: Tensor, p = 0.5): Tensor {
  const stream = x.tracer.nextStream();
  if (!x.tracer.training || p === 0) return x;
  return x.tracer.apply("dropout", [x.value, x.tracer.rng()], { p, stream });
}

/** How a pool's window moves over an image, in pixels. */
export interface PoolOptions {
  /** The kernel's size by default. */
  readonly stride?: Pair;
  readonly padding?: Padding | NamedPadding;
  /** Whether a last window may reach beyond the image, so that no pixel is left out; false by default. */
  readonly ceil_mode?: boolean;
}

/** Max pooling's arguments beside the kernel. */
export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: Pair;
}

/** The greatest number of each window of images `[N, C, H, W]`; padding counts as −∞. */
export function maxPool2d(x: Tensor, kernel_size: Pair, options: MaxPoolOptions = {}): Tensor {
  expectOptions("maxPool2d", options, ["stride", "padding", "dilation", "ceil_mode"]);
  const dilation = pair(options.dilation ?? 1);
  return x.tracer.apply("max_pool2d", [x.value], {
    ...poolAttrs(x, kernel_size, options, dilation),
    dilation,
  });
}

/** Average pooling's arguments beside the kernel. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether pixels of padding count as zeros (true by default), or not at all. */
  readonly count_include_pad?: boolean;
}

/**
 * The mean of each window of images `[N, C, H, W]`. With `same` padding, Keras divides by the real pixels only: so does
 * this, unless told otherwise.
 */
export function avgPool2d(x: Tensor, kernel_size: Pair, options: AvgPoolOptions = {}): Tensor {
  expectOptions("avgPool2d", options, ["stride", "padding", "ceil_mode", "count_include_pad"]);
  const count_include_pad = options.count_include_pad ?? options.padding !== "same";
  return x.tracer.apply("avg_pool2d", [x.value], {
    ...poolAttrs(x, kernel_size, options, [1, 1]),
    count_include_pad,
  });
}

/** Pools images `[N, C, H, W]` of any size into `output_size` cells, each the mean of its share. */
export function adaptiveAvgPool2d(x: Tensor, output_size: Pair): Tensor {
  return x.tracer.apply("adaptive_avg_pool2d", [x.value], { output: pair(output_size) });
}

/** The constants of the formula; 1e-4, 0.75 and 1 by default. */
export interface LocalResponseNormOptions {
  readonly alpha?: number;
  readonly beta?: number;
  readonly k?: number;
}

/** x / (k + alpha / size · Σ x²)^beta, the sum over `size` neighbouring channels. */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor {
  expectOptions("localResponseNorm", options, ["alpha", "beta", "k"]);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  return x.tracer.apply("local_response_norm", [x.value], { size, alpha, beta, k });
}

/** Joins tensors along `dim`; all their other extents must be the same. PyTorch's `cat`. */
export function concat(tensors: readonly Tensor[], dim = 0): Tensor {
  const [head] = tensors;
  if (!head) throw new UserError("concat needs at least one tensor");
  return head.tracer.apply("concat", tensors.map(({ value }) => value), { dim: axis(head, dim) });
}

/** Puts channels of zeros before and after those of an image `[N, C, H, W]`. */
export function padChannels(x: Tensor, before: number, after: number): Tensor {
  const [n = 0, , ...image] = x.shape;
  const zeros = (channels: number) =>
    channels > 0 ? [x.tracer.apply("fill", [], { shape: [n, channels, ...image], value: 0 })] : [];
  return concat([...zeros(before), x, ...zeros(after)], 1);
}

/** The sum of two tensors of the same shape. */
export function add(a: Tensor, b: Tensor): Tensor {
  return a.tracer.apply("add", [a.value, b.value], {});
}

/** `factor · x` */
export function scale(x: Tensor, factor: number): Tensor {
  return x.tracer.apply("scale", [x.value], { factor });
}

/** The product, element by element, of two tensors of the same shape. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  return a.tracer.apply("multiply", [a.value, b.value], {});
}

/** Axes `start_dim` … `end_dim` become one, by default `[N, C, H, W]` → `[N, C·H·W]`. Throws `ShapeError` without them. */
export function flatten(x: Tensor, start_dim = 1, end_dim = -1): Tensor {
  const start = axis(x, start_dim), end = axis(x, end_dim);
  if (start < 0 || start > end || end >= x.shape.length) {
    const where = x.tracer.builder.scope || "the network itself";
    throw new ShapeError(
      `${where}: ${formatShape(x.shape)} has no axes ${start_dim} … ${end_dim} to flatten`,
    );
  }
  return reshape(x, joinAxes(x.shape, start, end));
}

/** The same numbers, in row-major order, under another shape. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return x.tracer.apply("reshape", [x.value], { shape });
}

/** An image `[N, C, H, W]` as the row `[N, H·W·C]`: of each place all channels, as YOLO's map of cells has them. */
export function flattenChannelsLast(x: Tensor): Tensor {
  return x.tracer.apply("flatten_channels_last", [x.value], {});
}

/** PyTorch's arguments of `cross_entropy`. */
export interface CrossEntropyOptions {
  /** The share of the target that is spread over all classes alike, 0 … 1; 0 by default. */
  readonly label_smoothing?: number;
  /** What is made of the samples' losses; "mean" by default. "none" gives `[N]`, the others a scalar. */
  readonly reduction?: "mean" | "sum" | "none";
}

/**
 * The cross entropy of scores `[N, classes]` and targets i32 `[N]`, indices of classes: −log softmax(scores)[target]. A
 * sample whose target is −1 has loss 0; "mean" divides by N all the same.
 */
export function crossEntropy(scores: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { label_smoothing = 0, reduction = "mean" } = options;
  return scores.tracer.apply("cross_entropy", [scores.value, target.value], { label_smoothing, reduction });
}

/** The map's extents and the paper's weights. */
export interface YoloLossOptions {
  /** Cells in a row: S. */
  readonly split_size: number;
  /** Boxes a cell: B; the paper's 2 by default. */
  readonly num_boxes?: number;
  /** C */
  readonly num_classes: number;
  /** Weight of boxes' places and sizes; 5 by default. */
  readonly lambda_coord?: number;
  /** Weight of the confidence of boxes without an object; 0.5 by default. */
  readonly lambda_noobj?: number;
  readonly reduction?: "mean" | "sum";
}

/**
 * YOLOv1's loss of a prediction `[N, S·S·(C + 5·B)]` and a target `[N, S·S·5]`, see the op `yolo_loss`; with its five
 * parts `[5]` (xy, wh, object, noobject, class), which add up to it.
 */
export function yoloLoss(
  prediction: Tensor,
  target: Tensor,
  options: YoloLossOptions,
): { loss: Tensor; parts: Tensor } {
  const attrs = { num_boxes: 2, lambda_coord: 5, lambda_noobj: 0.5, reduction: "mean" as const, ...options };
  const { tracer } = prediction;
  const [loss, parts] = tracer.builder.emit("yolo_loss", [prediction.value, target.value], attrs);
  return { loss: new Tensor(tracer, loss!), parts: new Tensor(tracer, parts!) };
}

function axis(x: Tensor, dim: number): number {
  return dim < 0 ? dim + x.shape.length : dim;
}

function poolAttrs(x: Tensor, kernel_size: Pair, options: PoolOptions, dilation: Pair) {
  const kernel = pair(kernel_size);
  const stride = pair(options.stride ?? kernel_size);
  const padding = resolvePadding(options.padding ?? 0, x.shape, kernel, stride, dilation);
  return { kernel, stride, padding, ceil_mode: options.ceil_mode ?? false };
}

/** `[top, left, bottom, right]`; what `same` cannot halve goes to the bottom and the right, as in Keras. */
export function resolvePadding(
  padding: Padding | NamedPadding,
  image: Shape,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
): [number, number, number, number] {
  if (padding === "valid") return [0, 0, 0, 0];
  if (padding !== "same") return sides(padding);
  const total = ([0, 1] as const).map((side) => {
    const extent = image[side + 2] ?? 0;
    const step = pair(stride)[side];
    const reach = pair(dilation)[side] * (pair(kernel)[side] - 1) + 1;
    return Math.max(0, (Math.ceil(extent / step) - 1) * step + reach - extent);
  }) as [number, number];
  const before = total.map((size) => Math.floor(size / 2)) as [number, number];
  return [before[0], before[1], total[0] - before[0], total[1] - before[1]];
}
