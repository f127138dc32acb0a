/** What dispatches take. */
import type { KernelTime } from "../backend.ts";
import type { Gpu } from "./device.ts";
import type { Step } from "./program.ts";

/** Queries that a set may hold. */
const MOST_QUERIES = 4096;

/** What a dispatch takes to be recorded. */
type Dispatched = Pick<Step, "pipeline" | "bindings" | "groups">;

/** Whether a GPU has a clock of its own; where it has none, short dispatches take as long as asking for them does. */
export function hasClock({ device }: Gpu): boolean {
  return device.features.has("timestamp-query");
}

/** Runs the steps, and tells what each took; see `timePasses`. */
export async function timeSteps(gpu: Gpu, steps: readonly Step[]): Promise<KernelTime[]> {
  const times = await timePasses(gpu, steps);
  return steps.map(({ kernel, node }, index) => ({ kernel, node, milliseconds: times[index]!, waiting: 0 }));
}

/** Runs dispatches, each in a pass of its own: the milliseconds of each, by the GPU's own clock where it has one. */
export async function timePasses(gpu: Gpu, steps: readonly Dispatched[]): Promise<number[]> {
  return await (hasClock(gpu) ? byTimestamps(gpu, steps) : bySubmitting(gpu, steps));
}

async function byTimestamps({ device }: Gpu, steps: readonly Dispatched[]): Promise<number[]> {
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
    const nanoseconds = new BigUint64Array(staging.getMappedRange().slice(0));
    some.forEach((_, index) => {
      // A clock of 0 ns between two marks is a clock that ticks rarely.
      times.push(Math.max(1, Number(nanoseconds[2 * index + 1]! - nanoseconds[2 * index]!)) / 1e6);
    });
    [querySet, resolved, staging].forEach((one) => one.destroy());
  }
  return times;
}

async function bySubmitting({ device }: Gpu, steps: readonly Dispatched[]): Promise<number[]> {
  const times: number[] = [];
  for (const step of steps) {
    await device.queue.onSubmittedWorkDone();
    const began = performance.now();
    const encoder = device.createCommandEncoder();
    record(encoder, step);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    times.push(performance.now() - began);
  }
  return times;
}

function record(
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
