/**
 * Random numbers: Philox 4×32-10 (Salmon et al. 2011), a pure function of key and counter, so that nothing has to be
 * saved to resume. The key is the run's seed; the counter is (index of the group of four numbers, stream, step, 0).
 * `rng` inputs are i32 [4]: seed low, seed high, step, unused.
 */
import type { TensorType } from "../graph/graph.ts";
import { expectRank, first, known, Misfit, type Op, sameAsInput } from "./op.ts";

export interface DropoutAttrs {
  /** Probability that an element is dropped. */
  readonly p: number;
  /** Tells this layer's numbers from every other's. */
  readonly stream: number;
}

function expectRng(type: TensorType): void {
  expectRank(type.shape, 1, "the random key");
  if (type.dtype !== "i32" || type.shape[0] !== 4) throw new Misfit("the random key must be i32 [4]");
}

/** `(x, rng) → y`: zero with probability p, else x / (1 − p). Its gradient is the same op on dy: same numbers. */
export const dropout: Op<DropoutAttrs> = {
  infer(inputs, { p }) {
    if (!(p >= 0 && p <= 1)) throw new Misfit(`p must be within 0 … 1, not ${p}`);
    expectRng(first(inputs, 1));
    return sameAsInput(inputs);
  },
  inplace: [0],
  gradient: (emit, { inputs: [, rng], attrs }, [dy]) => [
    emit("dropout", [known(dy), known(rng)], attrs)[0],
    undefined,
  ],
};

export interface InitAttrs {
  readonly stream: number;
}

function inPlace(inputs: readonly TensorType[]): TensorType[] {
  expectRng(first(inputs, 1));
  return [];
}

/** `(state, rng)`: fills the state with numbers uniform in [low, high). */
export const init_uniform: Op<InitAttrs & { readonly low: number; readonly high: number }> = {
  infer: inPlace,
  mutates: () => [0],
};

/** `(state, rng)`: fills the state with normal numbers (Box–Muller). */
export const init_normal: Op<InitAttrs & { readonly mean: number; readonly std: number }> = {
  infer: inPlace,
  mutates: () => [0],
};

/** `(state)`: fills the state with one number. */
export const init_constant: Op<{ readonly value: number }> = { infer: () => [], mutates: () => [0] };
