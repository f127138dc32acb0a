/** Numbers of any size from the GPU, when somebody asks for them. */
import type { Range } from "./source.ts";

/** The most bytes of one trip, since staging memory is limited. */
const TRIP_BYTES = 2 ** 26;

/** Reads the bytes of ranges, one after the other, as they are once all submitted work is done. */
export type Fetch = (ranges: readonly Range[]) => Promise<ArrayBuffer>;

interface Wish {
  readonly ranges: readonly Range[];
  readonly bytes: ArrayBuffer;
  readonly resolve: (bytes: ArrayBuffer) => void;
  readonly reject: (error: unknown) => void;
}

/** A part of a range, and where it goes. */
interface Part {
  readonly source: GPUBuffer;
  readonly offset: number;
  readonly size: number;
  readonly target: Uint8Array;
}

/** Reads that are asked for together come in as few trips as `tripBytes` allows: each takes 10 ms in Deno, however small. */
export function createFetch(device: GPUDevice, tripBytes = TRIP_BYTES): Fetch {
  let wishes: Wish[] = [];

  async function travel(parts: readonly Part[]): Promise<void> {
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const staging = device.createBuffer({ label: "staging", size, usage });
    try {
      const encoder = device.createCommandEncoder();
      let at = 0;
      for (const { source, offset, size } of parts) {
        encoder.copyBufferToBuffer(source, offset, staging, at, size);
        at += size;
      }
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const all = new Uint8Array(staging.getMappedRange());
      at = 0;
      for (const { size, target } of parts) target.set(all.subarray(at, at += size));
    } finally {
      staging.destroy();
    }
  }

  async function fulfil(): Promise<void> {
    const mine = wishes;
    wishes = [];
    try {
      for (const trip of tripsOf(mine, tripBytes)) await travel(trip);
      for (const { resolve, bytes } of mine) resolve(bytes);
    } catch (error) {
      for (const { reject } of mine) reject(error);
    }
  }

  return (ranges) =>
    new Promise((resolve, reject) => {
      const bytes = new ArrayBuffer(ranges.reduce((sum, { size }) => sum + size, 0));
      if (wishes.push({ ranges, bytes, resolve, reject }) === 1) queueMicrotask(fulfil);
    });
}

/** The parts of all wishes, a trip's worth at a time. */
function* tripsOf(wishes: readonly Wish[], tripBytes: number): Generator<Part[]> {
  let trip: Part[] = [], room = tripBytes;
  for (const { ranges, bytes } of wishes) {
    let at = 0;
    for (const { buffer: source, offset, size } of ranges) {
      for (let done = 0; done < size;) {
        const most = Math.min(size - done, room);
        trip.push({ source, offset: offset + done, size: most, target: new Uint8Array(bytes, at, most) });
        [done, at, room] = [done + most, at + most, room - most];
        if (room > 0) continue;
        yield trip;
        [trip, room] = [[], tripBytes];
      }
    }
  }
  if (trip.length > 0) yield trip;
}
