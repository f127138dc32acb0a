/**
 * The control block at the start of the shared memory: how the main thread and the workers meet.
 * 32-bit words from address `CONTROL`; the rest of the first 64 KiB belongs to the module itself.
 */
export const CONTROL = 256;

/** Word indices. */
export const word = {
  /** Counts runs; a worker wakes when it changes, and ends when it is `STOP`. */
  start: 0,
  /** Workers that have finished the run. */
  done: 1,
  /** Counts finished runs; the main thread waits for it. */
  finished: 2,
  program: 3,
  count: 4,
  /** Where the run notes its times, see timed_walk.ts; 0 where nobody wants to know. */
  times: 5,
  /** Two words: arrivals and generation of the walker's barrier, see assembly/walk.ts. */
  barrier: 8,
} as const;

export const STOP = -1;

/** Where programs, states and arenas may begin. */
export const HEAP = 65536;

/** What a worker is told once, when it is made. */
export interface WorkerInit {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly thread: number;
  readonly threads: number;
}

/** What a worker says: that it is ready, or that a kernel trapped. */
export type WorkerReport = { readonly ready: true } | { readonly trap: string };

/** Exported functions that are no kernels. */
const NOT_KERNELS = new Set(["walk", "wait"]);

/** The kernels in the order of their indices in every worker's function table. */
export function kernelNames(module: WebAssembly.Module): string[] {
  return WebAssembly.Module.exports(module)
    .filter(({ name, kind }) => kind === "function" && !NOT_KERNELS.has(name))
    .map(({ name }) => name);
}
