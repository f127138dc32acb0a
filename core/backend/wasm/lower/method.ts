/** Which way a convolution is computed: the direct one, or one of Winograd's. */
import type { Node } from "../../../graph/graph.ts";
import type { ConvAttrs } from "../../../ops/conv.ts";
import { sizeOf } from "../../../shape.ts";
import type { Choices, Tuning } from "../../tuning.ts";

export type Extents4 = readonly [number, number, number, number];

/** `winograd4` is F(4×4, 3×3), `winograd2` is F(2×2, 3×3). */
export const METHODS = ["direct", "winograd2", "winograd4"] as const;

export type Method = typeof METHODS[number];

/** A convolution or one of its gradients: to the input or to the weight. The shapes are the forward pass's. */
export interface Convolution {
  readonly direction: "forward" | "input" | "weight";
  readonly x: Extents4;
  readonly weight: Extents4;
  readonly y: Extents4;
  readonly attrs: ConvAttrs;
}

/** The convolution that a node computes, or a gradient of; undefined for other nodes. */
export function convolutionOf({ op, inputs, outputs, attrs }: Node): Convolution | undefined {
  const [a, b] = inputs.map(({ shape }) => shape as Extents4), made = outputs[0]?.shape as Extents4;
  const conv = attrs as ConvAttrs;
  if (op === "conv2d") return { direction: "forward", x: a!, weight: b!, y: made, attrs: conv };
  if (op === "conv2d_grad_input") return { direction: "input", x: made, weight: b!, y: a!, attrs: conv };
  if (op === "conv2d_grad_weight") return { direction: "weight", x: b!, weight: made, y: a!, attrs: conv };
  return undefined;
}

/** Such as `forward 8x64x56x56 64x64x3x3 padding 1,1,1,1`: what a choice of the method is remembered by. */
export function nameOf({ direction, x, weight, attrs }: Convolution): string {
  return `${direction} ${x.join("x")} ${weight.join("x")} padding ${attrs.padding.join()}`;
}

/** Chooses among the methods that can compute a convolution. */
export type Chooser = (convolution: Convolution) => Method;

/** Output pixels on a side of a tile; 0 for the direct way. */
function sideOf(method: Method): 0 | 2 | 4 {
  return method === "direct" ? 0 : method === "winograd2" ? 2 : 4;
}

/** The side of the tiles to compute it with, 0 for the direct way: what is chosen where there is a choice. */
export function chooseSide(choose: Chooser, convolution: Convolution): 0 | 2 | 4 {
  return methodsFor(convolution).length > 1 ? sideOf(choose(convolution)) : 0;
}

/** The methods that can compute it. */
function methodsFor({ weight, attrs }: Convolution): readonly Method[] {
  const { stride, dilation, groups, padding } = attrs;
  const [out, channels, height, width] = weight;
  const fits = height === 3 && width === 3 && groups === 1 && out % 8 === 0 && channels % 8 === 0 &&
    [...stride, ...dilation].every((value) => value === 1) && padding.every((value) => value <= 2);
  return fits ? METHODS : ["direct"];
}

/** What is known to be fastest, or else should be. */
export function choiceOf(known: Choices): Chooser {
  return (convolution) => methodNamed(known.get(nameOf(convolution))) ?? cheapest(convolution);
}

function methodNamed(name: string | undefined): Method | undefined {
  return METHODS.find((method) => method === name);
}

/** The choices that there are; `key` says on what they are measured. */
export function tuningOf(key: string): Tuning {
  return {
    key,
    nameOf(node) {
      const convolution = convolutionOf(node);
      return convolution ? nameOf(convolution) : node.op;
    },
    waysFor(node) {
      const convolution = convolutionOf(node);
      return convolution ? methodsFor(convolution) : [];
    },
    knows: (way) => methodNamed(way) !== undefined,
  };
}

/** Nothing but plain sums: the least rounding. */
export const exact: Chooser = () => "direct";

/** The method that should be fastest. */
export function cheapest(convolution: Convolution): Method {
  const methods = methodsFor(convolution);
  const costs = methods.map((method) => cost(convolution, method));
  return methods[costs.indexOf(Math.min(...costs))]!;
}

/**
 * What parts of Winograd's work take, in multiply-adds of the products, which are the rest of it (machine B of
 * ARCHITECTURE.md): to transform one channel of a tile there or back, and to transform a filter. With 128 bits products
 * take longer and these hardly, so that a filter's are between what they are there and with 256 bits: the choice is by
 * shape alone, for the same bits in both.
 */
const TILE_COST = { 2: 250, 4: 500 };
const FILTER_COST = 40;

/** Rows and columns of the filter gradient that are made from one transformation; lower/winograd.ts. */
const GRAD_BLOCK = 256;

function cost({ direction, x, weight, y }: Convolution, method: Method): number {
  const [out, channels] = weight;
  const [images, , height, width] = direction === "input" ? x : y;
  const m = sideOf(method);
  if (m === 0) return images * height * width * sizeOf(weight);
  const tiles = images * Math.ceil(height / m) * Math.ceil(width / m), places = (m + 2) ** 2;
  const transformed = direction === "weight"
    ? channels * Math.ceil(out / GRAD_BLOCK) + out * Math.ceil(channels / GRAD_BLOCK)
    : channels + out;
  return places * out * channels * (tiles + FILTER_COST) + tiles * transformed * TILE_COST[m];
}
