/** Times of the same thing done again and again, and what to say of them. */

export interface Statistics {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Half of the times lie between the quartiles. */
  readonly quartiles: readonly [number, number];
  /** Distance of the quartiles, as a share of the median. */
  readonly spread: number;
}

/** Throws where there is no number at all. */
export function statisticsOf(times: readonly number[]): Statistics {
  if (times.length === 0) throw new Error("there are no times to tell of");
  const sorted = [...times].sort((a, b) => a - b);
  const [low, median, high] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share)) as [
    number,
    number,
    number,
  ];
  return {
    count: sorted.length,
    median,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    quartiles: [low, high],
    spread: median > 0 ? (high - low) / median : 0,
  };
}

/** Between two numbers, the straight line from one to the other, as numpy has it. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (place - below) * (high - low);
}

export interface TimingPlan {
  /** Steps before the first that counts; at least these, and until `warmupMilliseconds` have passed. */
  readonly warmup: number;
  readonly warmupMilliseconds: number;
  /** Steps that count: at least these, then as many as fit into `milliseconds`, but not more than `most`. */
  readonly least: number;
  readonly most: number;
  readonly milliseconds: number;
  /** Steps are taken in groups of about this many milliseconds, with several steps under way; 0: one by one. */
  readonly group: number;
}

export interface Timed {
  /** How many steps were thrown away. */
  readonly warmup: number;
  /** How many counted. */
  readonly steps: number;
  /** Milliseconds of a step, of each that counts, or the mean of each group. */
  readonly times: readonly number[];
}

/** What is told before each step: how many have been timed, and how many there will be as far as can be said. */
export type TimingProgress = (done: number, expected: number) => void;

/**
 * Times steps again and again. V8 is done with its optimised code after a step or two, so the first ones don't count.
 * After each group that counts, `between` may measure something else in the same minute.
 */
export async function timeSteps(
  take: (steps: number) => Promise<unknown>,
  plan: TimingPlan,
  progress: TimingProgress = () => {},
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<Timed> {
  const times: number[] = [];
  async function timed(steps: number): Promise<number> {
    const began = performance.now();
    await take(steps);
    return (performance.now() - began) / steps;
  }

  const begun = performance.now();
  let warmup = 0, pace = Infinity;
  while (warmup < plan.warmup || performance.now() - begun < plan.warmupMilliseconds) {
    progress(0, plan.least);
    // As many again, so that in the end little of a group's time is waiting for its last step.
    const steps = plan.group > 0 ? Math.max(1, warmup) : 1;
    pace = await timed(steps);
    warmup += steps;
  }
  const group = Math.max(1, Math.ceil(plan.group / pace));
  const start = performance.now();
  for (let done = 0;;) {
    const fitting = done === 0 ? 0 : Math.floor(plan.milliseconds / ((performance.now() - start) / done));
    const expected = Math.min(Math.max(fitting, plan.least), plan.most);
    if (done >= expected) return { warmup, steps: done, times };
    progress(done, expected);
    const steps = Math.min(group, plan.most - done);
    times.push(await timed(steps));
    done += steps;
    await between();
  }
}
