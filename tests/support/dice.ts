import { integer, keyOf, philox, uniform } from "../../core/random.ts";

/** Numbers that are the same for the same seed, one after another. */
export interface Dice {
  /** 0 … bound − 1 */
  whole(bound: number): number;
  /** [0, 1) */
  share(): number;
  pick<T>(items: readonly T[]): T;
}

export function dice(seed: number): Dice {
  let count = 0;
  const word = () => philox(keyOf(seed), [count++, 0, 0, 0])[0];
  const whole = (bound: number) => integer(word(), bound);
  return { whole, share: () => uniform(word()), pick: (items) => items[whole(items.length)]! };
}
