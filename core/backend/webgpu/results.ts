/** Small results of runs on their way back from the GPU. */
import type { Range } from "./source.ts";

/**
 * How long it may take from the beginning of runs until they are read: too short to be noticed, and so long that the cost of
 * mapping is negligible. Half of it they wait for the runs before them.
 */
const LATE_MILLISECONDS = 300;

/** The most runs, and bytes, that wait for one map. */
const MOST_RUNS = 32, MOST_BYTES = 2 ** 24;

/** Bytes of a run's results, once they are there. */
export type Arriving = () => Promise<ArrayBuffer>;

export interface Results {
  /** How many runs to have under way: enough that the GPU has work while results are read. */
  readonly depth: number;
  /** Records the copies of a run's results after its work. Call it once those of the run before are submitted. */
  copy(encoder: GPUCommandEncoder): Arriving;
  destroy(): void;
}

/** A staging buffer with the results of some runs, one after the other. */
interface Block {
  readonly buffer: GPUBuffer;
  readonly room: number;
  runs: number;
  /** When the first of them began. */
  began: number;
  arrived: Promise<ArrayBuffer> | undefined;
}

/**
 * Copies the ranges out after each run, into a ring of staging buffers. One is mapped when it is full, or when somebody reads
 * from it. It is not mapped after each run, since in Deno mapping blocks the thread until all submitted work is done, and
 * reports that 10 ms late: the GPU would wait each time. How many runs fill it follows from how long they take.
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
      // Whoever reads gets the failure; until then it must not count as unhandled.
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
      // After the submission, and after what the caller does while the GPU works.
      if (block.runs >= Math.min(block.room, perMap)) {
        open = undefined;
        queueMicrotask(() => void map(block));
      }
      return async () => (await map(block)).slice(start, start + bytes);
    },
    destroy: () => all.forEach((buffer) => buffer.destroy()),
  };
}
