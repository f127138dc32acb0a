/** What each dispatch of a run takes. */
import type { KernelTime } from "../backend.ts";
import type { Gpu } from "./device.ts";
import type { Step } from "./program.ts";

/** Queries that a set may hold. */
const MOST_QUERIES = 4096;

/** Runs the steps, each in a pass of its own, by the GPU's own clock where it has one. */
export async function timeSteps(gpu: Gpu, steps: readonly Step[]): Promise<KernelTime[]> {
  const times = gpu.device.features.has("timestamp-query")
    ? await byTimestamps(gpu, steps)
    : await bySubmitting(gpu, steps);
  return steps.map(({ kernel, node }, index) => ({ kernel, node, milliseconds: times[index]!, waiting: 0 }));
}

async function byTimestamps({ device }: Gpu, steps: readonly Step[]): Promise<number[]> {
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

async function bySubmitting({ device }: Gpu, steps: readonly Step[]): Promise<number[]> {
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
  { pipeline, bindings, groups }: Step,
  timestampWrites?: GPUComputePassTimestampWrites,
): void {
  const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  pass.dispatchWorkgroups(...groups);
  pass.end();
}
