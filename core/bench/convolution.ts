/** What the three ops of a convolution, or of a linear layer, have in common: the layer that they belong to. */
import type { Node } from "../graph/graph.ts";
import type { ConvAttrs } from "../ops/conv.ts";
import type { Shape } from "../shape.ts";
import { times } from "../summary/format.ts";

/** Of the gradients, which one; PyTorch and BLAS have no common word for the three. */
export type Direction = "forward" | "to input" | "to weights";
export const directions: readonly Direction[] = ["forward", "to input", "to weights"];

export interface Convolution extends ConvAttrs {
  readonly direction: Direction;
  /** `[N, C, H, W]`, or `[N, features]` */
  readonly x: Shape;
  /** `[O, C / groups, kH, kW]`, or `[O, features]` */
  readonly weight: Shape;
}

const PLAIN: ConvAttrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

/** The convolution or linear layer that a node is part of; undefined for other nodes. */
export function convolutionOf({ op, inputs, outputs, attrs }: Node): Convolution | undefined {
  const [first, second] = inputs.map(({ shape }) => shape);
  const { stride, padding, dilation, groups, input, weight } = attrs as ConvAttrs & {
    readonly input: Shape;
    readonly weight: Shape;
  };
  const common = { stride, padding, dilation, groups };
  if (op === "conv2d") return { direction: "forward", x: first!, weight: second!, ...common };
  if (op === "conv2d_grad_input") return { direction: "to input", x: input, weight: second!, ...common };
  if (op === "conv2d_grad_weight") return { direction: "to weights", x: second!, weight, ...common };
  const linear = (direction: Direction, x: Shape, weight: Shape) => ({ direction, x, weight, ...PLAIN });
  if (op === "linear") return linear("forward", first!, second!);
  if (op === "linear_grad_input") return linear("to input", outputs[0]!.shape, second!);
  if (op === "linear_grad_weight") return linear("to weights", second!, outputs[0]!.shape);
  return undefined;
}

/** `3×3`, `7×7/2` with stride 2, `3×3, 32 groups`; empty for a linear layer */
export function windowText({ weight, stride, dilation, groups }: Convolution): string {
  return [
    times(weight.slice(2)) + (isOnes(stride) ? "" : `/${oneOrBoth(stride)}`),
    ...isOnes(dilation) ? [] : [`dilation ${oneOrBoth(dilation)}`],
    ...groups === 1 ? [] : [`${groups} groups`],
  ].join(", ");
}

/** `64×56×56 → 256`: the image or vector, and the channels that come out. */
export function imageText({ x, weight }: Convolution): string {
  return `${times(x.slice(1))} → ${weight[0]}`;
}

function isOnes(pair: readonly [number, number]): boolean {
  return pair[0] === 1 && pair[1] === 1;
}

function oneOrBoth([height, width]: readonly [number, number]): string {
  return height === width ? String(height) : `${height}×${width}`;
}
