/** Small results of runs on their way back from the GPU. */
import type { Range } from "./source.ts";

/**
 * From the beginning of runs until they are read: shorter than anybody notices, so long that what a map costs does not matter.
 * Half of it they wait for those before them.
 */
const LATE_MILLISECONDS = 300;

/** The most runs, and bytes, that wait for one map. */
const MOST_RUNS = 32, MOST_BYTES = 2 ** 24;

/** Bytes of a run's results, once they are there. */
export type Arriving = () => Promise<ArrayBuffer>;

export interface Results {
  /** How many runs to have under way: enough that the GPU has work while results are read. */
  readonly depth: number;
  /** Records the copies of a run's results behind its work. To be called once the last ones are submitted. */
  copy(encoder: GPUCommandEncoder): Arriving;
  destroy(): void;
}

/** A staging buffer with the results of some runs, one behind the other. */
interface Block {
  readonly buffer: GPUBuffer;
  readonly room: number;
  runs: number;
  /** When the first of them began. */
  began: number;
  arrived: Promise<ArrayBuffer> | undefined;
}

/**
 * Copies the ranges out behind each run, into a ring of staging buffers. One is mapped when it is full, or when somebody reads
 * of it. It is not mapped each run, since in Deno a map holds the thread up until all is done that was submitted, and
 * is told of 10 ms later: the GPU would wait each time. How many runs fill it follows from how long they take.
 */
export function createResults(device: GPUDevice, ranges: readonly Range[]): Results {
  const bytes = ranges.reduce((sum, { size }) => sum + size, 0);
  const most = Math.max(1, Math.min(MOST_RUNS, Math.floor(MOST_BYTES / bytes)));
  const all: GPUBuffer[] = [];
  const spare: Block[] = [];
  let perMap = 1;
  let open: Block | undefined;

  function blockWithRoom(): Block {
    while (spare.length > 0) {
      const block = spare.pop()!;
      if (block.room >= perMap) return block;
      block.buffer.destroy();
      all.splice(all.indexOf(block.buffer), 1);
    }
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const buffer = device.createBuffer({ label: "results", size: perMap * bytes, usage });
    all.push(buffer);
    return { buffer, room: perMap, runs: 0, began: 0, arrived: undefined };
  }

  async function arrive(block: Block): Promise<ArrayBuffer> {
    const { buffer, runs, began } = block;
    await buffer.mapAsync(GPUMapMode.READ, 0, runs * bytes);
    const arrived = buffer.getMappedRange(0, runs * bytes).slice(0);
    buffer.unmap();
    const each = (performance.now() - began) / runs;
    perMap = Math.max(1, Math.min(Math.floor(LATE_MILLISECONDS / each), 2 * perMap, most));
    spare.push({ ...block, runs: 0, arrived: undefined });
    return arrived;
  }

  function map(block: Block): Promise<ArrayBuffer> {
    if (block === open) open = undefined;
    if (!block.arrived) {
      block.arrived = arrive(block);
      // Whoever reads is told; until then it must not count as unhandled.
      block.arrived.catch(() => {});
    }
    return block.arrived;
  }

  return {
    get depth() {
      return 2 * perMap;
    },
    copy(encoder) {
      const block = open ??= blockWithRoom();
      if (block.runs === 0) block.began = performance.now();
      const start = block.runs++ * bytes;
      let at = start;
      for (const { buffer, offset, size } of ranges) {
        encoder.copyBufferToBuffer(buffer, offset, block.buffer, at, size);
        at += size;
      }
      // Behind the submission, and behind what the caller does beside the GPU's work.
      if (block.runs >= Math.min(block.room, perMap)) {
        open = undefined;
        queueMicrotask(() => void map(block));
      }
      return async () => (await map(block)).slice(start, start + bytes);
    },
    destroy: () => all.forEach((buffer) => buffer.destroy()),
  };
}
