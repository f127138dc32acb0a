/** What the three ops of a convolution, or of a linear layer, have in common: the layer that they belong to. */
import {
  type Convolution as ConvolutionOfOp,
  convolutionOf as convolutionOfOp,
} from "../backend/wasm/lower/method.ts";
import type { Node } from "../graph/graph.ts";
import type { ConvAttrs } from "../ops/conv.ts";
import type { Shape } from "../shape.ts";
import { times } from "../summary/format.ts";

/** Of the gradients, which one; PyTorch and BLAS have no common word for the three. */
export type Direction = "forward" | "to input" | "to weights";

/** As the backend names them. */
const DIRECTIONS: Record<ConvolutionOfOp["direction"], Direction> = {
  forward: "forward",
  input: "to input",
  weight: "to weights",
};

export const directions: readonly Direction[] = Object.values(DIRECTIONS);

export interface Convolution extends ConvAttrs {
  readonly direction: Direction;
  /** `[N, C, H, W]`, or `[N, features]` */
  readonly x: Shape;
  /** `[O, C / groups, kH, kW]`, or `[O, features]` */
  readonly weight: Shape;
}

const PLAIN: ConvAttrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

/** The convolution or linear layer that a node is part of; undefined for other nodes. */
export function convolutionOf(node: Node): Convolution | undefined {
  const convolution = convolutionOfOp(node);
  if (convolution) {
    const { direction, x, weight, attrs: { stride, padding, dilation, groups } } = convolution;
    return { direction: DIRECTIONS[direction], x, weight, stride, padding, dilation, groups };
  }
  const { op, inputs, outputs } = node, [first, second] = inputs.map(({ shape }) => shape);
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
