/**
 * Walking a program as assembly/walk.ts does, but with a look at the clock between the calls. Each thread notes times by
 * its own clock alone, so that no two clocks are ever compared:
 *
 *     thread 0: start, then for each call: own work done, all threads done │ thread 1: …
 */

/** What `walkTimed` knows of its worker and of the run. */
export interface TimedWalk {
  readonly memory: WebAssembly.Memory;
  /** The kernels, under the indices that programs have. */
  readonly table: WebAssembly.Table;
  /** The walker's barrier: returns when all threads have called it. */
  readonly meet: () => void;
  /** Addresses; they arrive as signed words. */
  readonly program: number;
  readonly times: number;
  readonly count: number;
  readonly thread: number;
}

type Kernel = (args: number, thread: number) => void;

/** Times that a thread notes. */
const perThread = (count: number) => 1 + 2 * count;

/** Runs the program as one of all threads; returns when all have finished all of it. */
export function walkTimed({ memory, table, meet, program, times, count, thread }: TimedWalk): void {
  const calls = new Uint32Array(memory.buffer, program >>> 0, 2 * count);
  const kernels = Array.from({ length: count }, (_, call) => table.get(calls[2 * call]!) as Kernel);
  const words = new Int32Array(memory.buffer);
  const noted = timesOf(memory, times, count, thread);
  meet(); // Nobody's clock starts before all have woken up.
  noted[0] = performance.now();
  for (let call = 0; call < count; call++) {
    const args = calls[2 * call + 1]!;
    kernels[call]!(args, thread);
    noted[1 + 2 * call] = performance.now();
    meet();
    noted[2 + 2 * call] = performance.now();
    if (thread === 0) words[args / 4] = 0; // The tickets, for the next run.
  }
  meet();
}

/** Bytes that the times of a run take. */
export function timesBytes(count: number, threads: number): number {
  return 8 * threads * perThread(count);
}

/** What a call took, in milliseconds: the average of what the threads saw, unless it says otherwise. */
export interface CallTime {
  /** From the end of the call before until all threads are done with this one. */
  readonly milliseconds: number;
  /** The same as the thread saw it that saw most. One that came late saw less than there was: in a short run, much less. */
  readonly longest: number;
  /** From the end of a thread's own work until all are done. */
  readonly waiting: number;
}

/** Reads what `walkTimed` has noted at `times`. */
export function readTimes(
  memory: WebAssembly.Memory,
  times: number,
  count: number,
  threads: number,
): CallTime[] {
  const noted = Array.from({ length: threads }, (_, thread) => timesOf(memory, times, count, thread));
  return Array.from({ length: count }, (_, call) => {
    const seen = (since: number) => noted.map((own) => own[2 + 2 * call]! - own[since]!);
    const all = seen(2 * call);
    return {
      milliseconds: mean(all),
      longest: Math.max(...all),
      waiting: mean(seen(1 + 2 * call)),
    };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function timesOf(memory: WebAssembly.Memory, times: number, count: number, thread: number): Float64Array {
  const bytes = timesBytes(count, 1);
  return new Float64Array(memory.buffer, (times >>> 0) + bytes * thread, perThread(count));
}
