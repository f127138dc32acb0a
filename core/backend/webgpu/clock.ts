/**
 * The GPU's own clock. WebGPU wants it to tell nanoseconds, but wgpu hands out its ticks as they are unless it is asked to
 * convert them (gfx-rs/wgpu#6719), and a tick may be tens of nanoseconds: so it is held against the processor's clock, once.
 */
import { createBusy } from "./busy.ts";
import type { Step } from "./program.ts";

/** What a dispatch takes to be recorded. */
export type Dispatched = Pick<Step, "pipeline" | "bindings" | "groups">;

/** Queries that a set may hold. */
const MOST_QUERIES = 4096;

/** Work long enough that asking for it, a millisecond at most, is negligible. */
const ENOUGH_MILLISECONDS = 30;

/** How many ratios are measured; the least counts, since other programs may make the processor wait. */
const TRIES = 3;

/** Beyond this ratio the clock does not count nanoseconds. */
const DOUBT = 1.5;

/** What was found for each device. */
const known = new WeakMap<GPUDevice, Promise<number>>();

/** Milliseconds of each dispatch, in a pass of its own. */
export async function byClock(device: GPUDevice, steps: readonly Dispatched[]): Promise<number[]> {
  let tick = known.get(device);
  if (!tick) known.set(device, tick = nanosecondsOfTick(device));
  const nanoseconds = await tick;
  return (await ticksOf(device, steps)).map((ticks) => ticks * nanoseconds / 1e6);
}

async function nanosecondsOfTick(device: GPUDevice): Promise<number> {
  const busy = await createBusy(device), ratios: number[] = [];
  try {
    for (let rounds = 1; ratios.length < TRIES;) {
      busy.take(rounds);
      await device.queue.onSubmittedWorkDone();
      const began = performance.now();
      const [ticks] = await ticksOf(device, [busy.step]) as [number];
      const taken = performance.now() - began;
      if (taken < ENOUGH_MILLISECONDS) rounds *= 2;
      else ratios.push(taken * 1e6 / ticks);
    }
    return nanosecondsFrom(Math.min(...ratios));
  } finally {
    busy.destroy();
  }
}

/** Nanoseconds of a tick, where the processor's clock counted `ratio` nanoseconds for each. */
export function nanosecondsFrom(ratio: number): number {
  return ratio > DOUBT || ratio < 1 / DOUBT ? ratio : 1;
}

async function ticksOf(device: GPUDevice, steps: readonly Dispatched[]): Promise<number[]> {
  const times: number[] = [];
  const most = MOST_QUERIES / 2;
  for (let start = 0; start < steps.length; start += most) {
    const some = steps.slice(start, start + most), count = 2 * some.length;
    const querySet = device.createQuerySet({ type: "timestamp", count });
    const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const resolved = device.createBuffer({ size: 8 * count, usage: QUERY_RESOLVE | COPY_SRC });
    const staging = device.createBuffer({ size: 8 * count, usage: COPY_DST | MAP_READ });
    const encoder = device.createCommandEncoder();
    some.forEach((step, index) => {
      record(encoder, step, {
        querySet,
        beginningOfPassWriteIndex: 2 * index,
        endOfPassWriteIndex: 2 * index + 1,
      });
    });
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 8 * count);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const marks = new BigUint64Array(staging.getMappedRange().slice(0));
    some.forEach((_, index) => {
      // A clock that has not moved between two marks ticks rarely.
      times.push(Math.max(1, Number(marks[2 * index + 1]! - marks[2 * index]!)));
    });
    [querySet, resolved, staging].forEach((one) => one.destroy());
  }
  return times;
}

/** Records a dispatch in a pass of its own. */
export function record(
  encoder: GPUCommandEncoder,
  { pipeline, bindings, groups }: Dispatched,
  timestampWrites?: GPUComputePassTimestampWrites,
): void {
  const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  pass.dispatchWorkgroups(...groups);
  pass.end();
}
