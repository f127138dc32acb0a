/**
 * Which results lie in memory as float16, where that is wanted: the images between layers, and gradients to them. Weights, their
 * gradients, statistics, and what is read from outside keep float32, and kernels compute with float32 whatever they read.
 */
import type { Node, Value } from "../../graph/graph.ts";
import { bytesOf } from "../../program/plan.ts";
import type { Program } from "../../program/program.ts";

/** How numbers are kept as float16. */
export interface Half {
  /** What they are multiplied by. */
  readonly scale: number;
}

/** The largest number of float16. */
export const LARGEST_HALF = 65504;

/** With it float16 has all its digits for gradients from 1.5e-8 on, and holds them up to 16. */
export const GRADIENT_SCALE = 4096;

const IMAGES: Half = { scale: 1 }, GRADIENTS: Half = { scale: GRADIENT_SCALE };

/** Those of a program, with their formats. */
export function halvesOf({ graph, aliases }: Pick<Program, "graph" | "aliases">): Map<Value, Half> {
  const halves = new Map<Value, Half>();
  const read = new Set<Value>();
  for (let value of graph.outputs.values()) {
    for (; !read.has(value); value = aliases.get(value) ?? value) read.add(value);
  }
  const ofImages = new Set([...graph.inputs.values()].filter(isImage)), gradients = new Set<Value>();
  for (const node of graph.nodes) {
    const { op, inputs } = node;
    if (isOfWeights(node) || !inputs.some((input) => ofImages.has(input))) continue;
    const isGradient = op.includes("_grad") || inputs.some((input) => gradients.has(input));
    for (const value of node.outputs) {
      ofImages.add(value);
      if (isGradient) gradients.add(value);
      const alias = aliases.get(value);
      if (alias && halves.has(alias)) halves.set(value, halves.get(alias)!);
      else if (!alias && isImage(value) && !read.has(value)) {
        halves.set(value, isGradient ? GRADIENTS : IMAGES);
      }
    }
  }
  return halves;
}

/** Bytes that a value takes, of which some are kept as float16. */
export function bytesAs(halves: ReadonlyMap<Value, Half>, value: Value): number {
  return bytesOf(value) / (halves.has(value) ? 2 : 1);
}

/** Whether a node's results are no longer of images. */
function isOfWeights({ op }: Node): boolean {
  return op.endsWith("_grad_weight");
}

function isImage({ shape, dtype, kind }: Value): boolean {
  return shape.length === 4 && (dtype === "f32" || kind === "input");
}
