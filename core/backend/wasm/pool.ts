/** The pool: one shared memory, one module, and workers that live as long as the backend. */
import { CONTROL, kernelNames, STOP, word, type WorkerInit, type WorkerReport } from "./control.ts";
import { type Died, onDeath, SILENT, WorkerDied, workerName } from "../../worker_life.ts";
import { createRegions, type Regions } from "./regions.ts";

/** Pages of WebAssembly's 32-bit memory. */
const MAXIMUM = 65536;

export interface Pool extends Regions {
  readonly threads: number;
  readonly memory: WebAssembly.Memory;
  /** Index of a kernel in the function table. Throws where there is none of that name. */
  kernelIndex(name: string): number;
  /**
   * Walks a program on all threads. A run starts when those asked for before it have ended; an idle pool's at once.
   * `times` is where to note how long its calls take, see timed_walk.ts.
   */
  run(program: number, count: number, times?: number): Promise<void>;
  close(): void;
}

/** Starts the workers; resolves when all of them are ready. */
export async function createPool(module: WebAssembly.Module, threads: number): Promise<Pool> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM, shared: true });
  const control = new Int32Array(memory.buffer, CONTROL, 64);
  let failure: Error | undefined;
  /** Ends the run that is under way. (A single promise that all runs race with would hold on to memory of each.) */
  let abort: (reason: Error) => void = () => {};
  const fail = (error: Error) => {
    failure ??= error;
    abort(failure);
  };

  const closed = new AbortController();
  const workers = await Promise.all(
    Array.from(
      { length: threads },
      (_, thread) => startWorker({ module, memory, thread, threads }, fail, closed.signal),
    ),
  );

  const kernels = new Map(kernelNames(module).map((name, index) => [name, index]));
  const firstKernel = 1; // The module's own table has one slot, never used.

  async function walk(program: number, count: number, times: number): Promise<void> {
    if (failure) throw failure;
    const before = Atomics.load(control, word.finished);
    Atomics.store(control, word.program, program);
    Atomics.store(control, word.count, count);
    Atomics.store(control, word.times, times);
    Atomics.add(control, word.start, 1);
    Atomics.notify(control, word.start);
    const waiting = Atomics.waitAsync(control, word.finished, before);
    if (!waiting.async) return;
    await new Promise<unknown>((resolve, reject) => {
      abort = reject;
      waiting.value.then(resolve);
    });
  }
  let running: Promise<void> | undefined;

  return {
    threads,
    memory,
    kernelIndex(name) {
      const index = kernels.get(name);
      if (index === undefined) throw new Error(`there is no kernel ${name}: run deno task build`);
      return firstKernel + index;
    },
    ...createRegions(memory),
    async run(program, count, times = 0) {
      while (running) await running.catch(() => {}); // Its failure goes to whoever asked for it.
      running = walk(program, count, times);
      try {
        await running;
      } finally {
        running = undefined;
      }
    },
    close() {
      closed.abort();
      Atomics.store(control, word.start, STOP);
      Atomics.notify(control, word.start);
      for (const worker of workers) worker.terminate();
    },
  };
}

/** Starts a worker; resolves when it is ready. `fail` gets whatever ends it, before or after that, until it is `closed`. */
function startWorker(init: WorkerInit, fail: (error: Error) => void, closed: AbortSignal): Promise<Worker> {
  const { thread } = init, name = workerName("compute");
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name });
  return new Promise<Worker>((resolve, reject) => {
    const end = (error: Error) => {
      reject(error);
      fail(error);
    };
    const died = (why: string) => end(new WorkerDied(`worker ${thread} of the compute pool`, why));
    worker.onmessage = ({ data }: MessageEvent<WorkerReport | Died>) => {
      if ("died" in data) died(data.died);
      else if ("trap" in data) end(new Error(`a kernel stopped in worker ${thread}: ${data.trap}`));
      else {
        onDeath(name, () => died(SILENT), closed);
        resolve(worker);
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      died(event.message);
    };
    worker.postMessage(init);
  });
}
