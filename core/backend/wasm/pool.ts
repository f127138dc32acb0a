/** The pool: one shared memory, one module, and workers that live as long as the backend. */
import { CONTROL, HEAP, kernelNames, STOP, word, type WorkerInit, type WorkerReport } from "./control.ts";

const PAGE = 65536;
/** WebAssembly's 32-bit memory ends here. */
export const MEMORY_LIMIT = 65536 * PAGE;

export interface Pool {
  readonly threads: number;
  readonly memory: WebAssembly.Memory;
  /** Index of a kernel in the function table. Throws where there is none of that name. */
  kernelIndex(name: string): number;
  /** Memory of at least `bytes`, aligned to 64 bytes; undefined where the 4 GiB are used up. */
  allocate(bytes: number): number | undefined;
  free(address: number): void;
  /** Walks a program on all threads. One at a time. */
  run(program: number, count: number): Promise<void>;
  close(): void;
}

/** Starts the workers; resolves when all of them are ready. */
export async function createPool(module: WebAssembly.Module, threads: number): Promise<Pool> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MEMORY_LIMIT / PAGE, shared: true });
  const control = new Int32Array(memory.buffer, CONTROL, 64);
  let fail: (reason: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => fail = reject);
  failed.catch(() => {}); // Only a run that is under way needs to know.

  const workers = await Promise.all(Array.from({ length: threads }, (_, thread) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    return new Promise<Worker>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<WorkerReport>) => {
        if ("ready" in data) resolve(worker);
        else fail(new Error(`a kernel stopped in worker ${thread}: ${data.trap}`));
      };
      worker.onerror = (event) => {
        event.preventDefault();
        const error = new Error(`worker ${thread} of the compute pool died: ${event.message}`);
        reject(error);
        fail(error);
      };
      worker.postMessage({ module, memory, thread, threads } satisfies WorkerInit);
    });
  }));

  const kernels = new Map(kernelNames(module).map((name, index) => [name, index]));
  const firstKernel = 1; // The module's own table has one slot, never used.
  const regions = createRegions(memory);

  return {
    threads,
    memory,
    kernelIndex(name) {
      const index = kernels.get(name);
      if (index === undefined) throw new Error(`there is no kernel ${name}: run deno task build`);
      return firstKernel + index;
    },
    allocate: regions.allocate,
    free: regions.free,
    async run(program, count) {
      const before = Atomics.load(control, word.finished);
      Atomics.store(control, word.program, program);
      Atomics.store(control, word.count, count);
      Atomics.add(control, word.start, 1);
      Atomics.notify(control, word.start);
      const waiting = Atomics.waitAsync(control, word.finished, before);
      if (waiting.async) await Promise.race([waiting.value, failed]);
    },
    close() {
      Atomics.store(control, word.start, STOP);
      Atomics.notify(control, word.start);
      for (const worker of workers) worker.terminate();
    },
  };
}

/** First-fit regions of the memory above the control block; the memory grows as needed, only while nothing runs. */
function createRegions(memory: WebAssembly.Memory) {
  const taken: { start: number; end: number }[] = [];
  return {
    allocate(bytes: number): number | undefined {
      const size = Math.max(64, Math.ceil(bytes / 64) * 64);
      let start = HEAP;
      let place = 0;
      for (; place < taken.length; place++) {
        const region = taken[place]!;
        if (start + size <= region.start) break;
        start = region.end;
      }
      const end = start + size;
      if (end > MEMORY_LIMIT) return undefined;
      const missing = end - memory.buffer.byteLength;
      if (missing > 0) {
        try {
          memory.grow(Math.ceil(missing / PAGE));
        } catch {
          return undefined;
        }
      }
      taken.splice(place, 0, { start, end });
      return start;
    },
    free(address: number): void {
      const place = taken.findIndex(({ start }) => start === address);
      if (place >= 0) taken.splice(place, 1);
    },
  };
}
