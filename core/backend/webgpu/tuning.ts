/** What measurements on a GPU choose: how the products of a node are cut. */
import { nameOf, type Tuning } from "../tuning.ts";
import type { Gpu } from "./device.ts";
import { cutNamed, cutsFor, type Extents, KERNELS, nameOfCut } from "./lower/cut.ts";
import type { Abilities } from "./lower/lowering.ts";
import { productsOf } from "./lower/mod.ts";

/** How many of the ways that should be fastest are measured. */
const MEASURED = 8;

export function tuningOf({ adapter }: Gpu, abilities: Abilities): Tuning {
  return {
    key: `WebGPU, ${adapter}, kernels ${KERNELS}${abilities.half ? ", float16" : ""}`,
    nameOf,
    waysFor(node) {
      const products = productsOf(node, abilities).sort((a, b) => work(b) - work(a));
      return products.length === 0 ? [] : cutsFor(products[0]!).slice(0, MEASURED).map(nameOfCut);
    },
    knows: (way) => cutNamed(way) !== undefined,
  };
}

function work({ m, n, k, groups }: Extents): number {
  return m * n * k * groups;
}
