/** Modules that hold other modules. */
import { Module } from "./module.ts";
import type { Tensor } from "./tensor.ts";

/** A module that makes one tensor of another. */
export type Layer = Module & { forward(x: Tensor): Tensor };

/**
 * Runs its modules one after another; they are named `0`, `1`, … or by the keys of a record.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { Conv2d, namedParameters, ReLU } from "./mod.ts";
 *
 * const numbered = new Sequential(new Conv2d(3, 8, 3), new ReLU());
 * assert.deepEqual([...namedParameters(numbered).keys()], ["0.weight", "0.bias"]);
 *
 * const named = new Sequential({ conv: new Conv2d(3, 8, 3), relu: new ReLU() });
 * assert.deepEqual([...namedParameters(named).keys()], ["conv.weight", "conv.bias"]);
 * ```
 */
export class Sequential extends Module {
  readonly #layers: readonly Layer[];

  constructor(...layers: readonly Layer[] | [Readonly<Record<string, Layer>>]) {
    super();
    const [head] = layers;
    const named = head === undefined || head instanceof Module ? layers as Layer[] : head;
    Object.assign(this, named);
    this.#layers = Object.values(named);
  }

  forward(x: Tensor): Tensor {
    return this.#layers.reduce((value, layer) => layer.forward(value), x);
  }

  /** The modules in order. */
  get layers(): readonly Layer[] {
    return this.#layers;
  }
}
