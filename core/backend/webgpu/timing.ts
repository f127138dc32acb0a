/** What dispatches take. */
import type { KernelTime } from "../backend.ts";
import { byClock, type Dispatched, record } from "./clock.ts";
import type { Gpu } from "./device.ts";
import type { Step } from "./program.ts";

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
  return await (hasClock(gpu) ? byClock(gpu.device, steps) : bySubmitting(gpu.device, steps));
}

async function bySubmitting(device: GPUDevice, steps: readonly Dispatched[]): Promise<number[]> {
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
