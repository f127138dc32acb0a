/** A worker of the pool: parked until a run starts, then walks the program with all the others. */
/// <reference lib="deno.worker" />
import { beginLife } from "../../worker_life.ts";
import { CONTROL, kernelNames, STOP, word, type WorkerInit, type WorkerReport } from "./control.ts";
import { walkTimed } from "./timed_walk.ts";

const report = (message: WorkerReport) => self.postMessage(message);

self.onmessage = async ({ data }: MessageEvent<WorkerInit>) => {
  const living = beginLife();
  const { module, memory, thread, threads } = data;
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const table = exports["table"] as WebAssembly.Table;
  const walk = exports["walk"] as (...words: number[]) => void;
  const wait = exports["wait"] as (barrier: number, threads: number) => void;
  // Every worker fills its table alike, so that an index means the same kernel in all of them.
  const kernels = kernelNames(module);
  const first = table.grow(kernels.length);
  kernels.forEach((name, index) => table.set(first + index, exports[name] as CallableFunction));

  const control = new Int32Array(memory.buffer, CONTROL, 64);
  await living;
  let run = Atomics.load(control, word.start);
  report({ ready: true });
  for (;;) {
    Atomics.wait(control, word.start, run);
    run = Atomics.load(control, word.start);
    if (run === STOP) break;
    try {
      const barrier = CONTROL + 4 * word.barrier;
      const program = Atomics.load(control, word.program), count = Atomics.load(control, word.count);
      const times = Atomics.load(control, word.times);
      if (times === 0) walk(program, count, barrier, thread, threads);
      else {
        const meet = () => wait(barrier, threads);
        walkTimed({ memory, table, meet, program, count, times, thread });
      }
    } catch (error) {
      report({ trap: String(error) });
      return; // Without self.close(): the report might not arrive; the pool terminates the worker.
    }
    if (Atomics.add(control, word.done, 1) === threads - 1) {
      Atomics.store(control, word.done, 0);
      Atomics.add(control, word.finished, 1);
      Atomics.notify(control, word.finished);
    }
  }
  self.close();
};
