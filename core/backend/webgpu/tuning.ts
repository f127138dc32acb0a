/** What measurements on a GPU choose: how the products of a node are cut, and whether a convolution is Winograd's. */
import { nameOf, type Tuning } from "../tuning.ts";
import type { Node } from "../../graph/graph.ts";
import type { ConvAttrs } from "../../ops/conv.ts";
import type { Gpu } from "./device.ts";
import { cutNamed, cutsFor, type Extents, KERNELS, nameOfCut } from "./lower/cut.ts";
import type { Abilities } from "./lower/lowering.ts";
import { productsOf } from "./lower/mod.ts";
import { THIN_WAY } from "./lower/thin.ts";
import { isWinograd, WINOGRAD_WAYS } from "./lower/winograd.ts";
import { THIN } from "./wgsl/thin.ts";

/** How many of the ways that should be fastest are measured. */
const MEASURED = 8;

export function tuningOf({ adapter }: Gpu, abilities: Abilities): Tuning {
  const { exact, half } = abilities;
  return {
    key: `WebGPU, ${adapter}, kernels ${KERNELS}${half ? ", float16" : ""}`,
    nameOf,
    waysFor(node) {
      const products = productsOf(node, abilities).sort((a, b) => work(b) - work(a));
      if (products.length === 0) return [];
      const largest = products[0]!;
      return [
        ...mayBeThin(node, largest) ? [THIN_WAY] : [],
        ...mayBeWinograd(node) && !exact ? Object.keys(WINOGRAD_WAYS) : [],
        ...cutsFor(largest).slice(0, MEASURED).map(nameOfCut),
      ];
    },
    knows: (way) => way === THIN_WAY || Object.hasOwn(WINOGRAD_WAYS, way) || cutNamed(way) !== undefined,
  };
}

/** Of convolutions and the gradients to their inputs, both with the weights as second input. */
function mayBeWinograd({ op, inputs, attrs }: Node): boolean {
  if (op !== "conv2d" && op !== "conv2d_grad_input") return false;
  return isWinograd(attrs as ConvAttrs, inputs[1]!.shape as readonly [number, number, number, number]);
}

/** Whether the kernels for thin products can compute it. */
function mayBeThin({ op }: Node, { m, n }: Extents): boolean {
  return (op.endsWith("_grad_weight") ? m : n) <= THIN;
}

function work({ m, n, k, groups }: Extents): number {
  return m * n * k * groups;
}
