/** Guesses why shapes do not fit, from the ops that made them. */
import type { OpName } from "../ops/mod.ts";
import { formatShape, sizeOf } from "../shape.ts";
import type { Node, Value } from "./graph.ts";

type Producers = ReadonlyMap<Value, Node>;

/** One sentence without its full stop, or "" where nothing stands out. */
export function likelyCause(nodes: readonly Node[], op: OpName, inputs: readonly Value[]): string {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  if (op === "linear") return wrongFeatures(producers, inputs);
  if (op !== "add" && op !== "multiply" && op !== "concat") return "";
  if (inputs.length < 2 || inputs.some(({ shape }) => shape.length !== 4)) return "";
  for (const axis of [0, 1] as const) {
    if (new Set(inputs.map((value) => extent(value, axis))).size > 1) {
      return differentImages(producers, inputs, axis);
    }
  }
  const [a, b] = inputs.map(({ shape }) => shape[1]);
  if (op !== "add" || a === b) return "";
  return `one side has ${a} channels and the other ${b}: the shortcut needs a 1×1 projection`;
}

/** Height (axis 0) or width (axis 1). */
function extent({ shape }: Value, axis: 0 | 1): number {
  return shape[2 + axis] ?? 1;
}

/** Which op on the way to one of the images, but not to all, made it another size. */
function differentImages(producers: Producers, inputs: readonly Value[], axis: 0 | 1): string {
  const ways = inputs.map((value) => ancestors(producers, value));
  const own = [...new Set(suspects(inputs, axis).flatMap((index) => [...ways[index]!]))]
    .filter((node) => !ways.every((way) => way.has(node)));
  const extents = inputs.map((value) => extent(value, axis));
  // A stride halves an image; a padding changes a few pixels.
  const isStride = Math.max(...extents) >= 1.5 * Math.min(...extents);
  const reasons = isStride ? [grows, strides, shrinks] : [grows, shrinks, strides];
  return firstReason(own, reasons.map((reason) => (node: Node) => reason(node, axis)));
}

/** The inputs that differ from what most of them agree on; all, where there is no such thing. */
function suspects(inputs: readonly Value[], axis: 0 | 1): number[] {
  const all = [...inputs.keys()];
  const groups = [...Map.groupBy(all, (index) => extent(inputs[index]!, axis)).values()]
    .sort((a, b) => b.length - a.length);
  const [most = [], next = []] = groups;
  return most.length > next.length ? all.filter((index) => !most.includes(index)) : all;
}

/** A linear layer that gets another number of features from a flattened image than it is made for: what is wrong with the image? */
function wrongFeatures(producers: Producers, [x, weight]: readonly Value[]): string {
  const wanted = weight?.shape[1];
  if (!x || wanted === undefined || x.shape.length !== 2) return "";
  const way = [...ancestors(producers, x)];
  const image = way.find(({ op }) => op === "reshape")?.inputs[0]?.shape;
  if (image?.length !== 4 || sizeOf(image.slice(1)) !== x.shape[1]) return "";
  const grown = firstReason(way, ([0, 1] as const).map((axis) => (node: Node) => grows(node, axis)));
  if (grown) return grown;
  const [, channels = 1] = image, side = Math.sqrt(wanted / channels);
  const made = Number.isInteger(side) ? `, the layer is made for ${formatShape([channels, side, side])}` : "";
  return `the image that is flattened is ${formatShape(image.slice(1))}${made}`;
}

/** All nodes that a value comes from, the nearest first. */
function ancestors(producers: Producers, from: Value): Set<Node> {
  const found = new Set<Node>();
  let values = [from];
  while (values.length > 0) {
    const nodes = values.flatMap((value) => producers.get(value) ?? []).filter((node) => !found.has(node));
    for (const node of nodes) found.add(node);
    values = nodes.flatMap(({ inputs }) => inputs);
  }
  return found;
}

function firstReason(nodes: readonly Node[], reasons: readonly ((node: Node) => string)[]): string {
  for (const reason of reasons) {
    for (const node of nodes) {
      const text = reason(node);
      if (text) return `${node.scope || "an op"} ${text}`;
    }
  }
  return "";
}

/** A convolution or a pool, along one axis. */
interface Sliding {
  /** Such as `3×3 convolution with padding 1`. */
  readonly what: string;
  readonly stride: number;
  /** By how many pixels the image would grow with a stride of 1; negative where it shrinks. */
  readonly growth: number;
  /** What would keep the size. */
  readonly advice: string;
}

type SlidingAttrs = { readonly [key in "stride" | "padding" | "dilation" | "kernel"]?: readonly number[] };

function slidingOf(node: Node, axis: 0 | 1): Sliding | undefined {
  const kind = { conv2d: "convolution", max_pool2d: "pool", avg_pool2d: "pool" }[node.op as string];
  const attrs = node.attrs as SlidingAttrs;
  const { stride, padding, dilation = [1, 1], kernel = node.inputs[1]?.shape.slice(2) } = attrs;
  if (!kind || !stride || !padding || !kernel) return undefined;
  const reach = kernel.map((size, side) => dilation[side]! * (size - 1));
  const half = reach.map((size) => size / 2);
  const kept = half.every(Number.isInteger) ? short([...half, ...half]) : '"same"';
  return {
    what: `${kernel.join("×")} ${kind} with padding ${short(padding)}`,
    stride: stride[axis]!,
    growth: padding[axis]! + padding[axis + 2]! - reach[axis]!,
    advice: `padding ${kept} would keep its size`,
  };
}

/** A padding `[top, left, bottom, right]` as one would write it. */
function short(padding: readonly number[]): string {
  const [top, left, bottom, right] = padding;
  if (top !== bottom || left !== right) return formatShape(padding);
  return top === left ? String(top) : formatShape([top!, left!]);
}

function grows(node: Node, axis: 0 | 1): string {
  const sliding = slidingOf(node, axis);
  if (!sliding || sliding.growth <= 0) return "";
  return `is a ${sliding.what}, which makes the image ${sliding.growth} larger; ${sliding.advice}`;
}

function shrinks(node: Node, axis: 0 | 1): string {
  const sliding = slidingOf(node, axis);
  // What does not fill another stride is lost anyway.
  if (!sliding || -sliding.growth < sliding.stride) return "";
  const { what, stride, growth, advice } = sliding;
  if (stride > 1) return `is a ${what}, which costs more of the image than its stride of ${stride}`;
  return `is a ${what}, which makes the image ${-growth} smaller; ${advice}`;
}

function strides(node: Node, axis: 0 | 1): string {
  const sliding = slidingOf(node, axis);
  if (sliding && sliding.stride > 1) {
    return `has stride ${sliding.stride}, and not all sides are made smaller in the same way`;
  }
  if (node.op !== "adaptive_avg_pool2d") return "";
  const { output } = (node as Node<"adaptive_avg_pool2d">).attrs;
  return `pools every image to ${output.join("×")}, and not all sides are made smaller in the same way`;
}
