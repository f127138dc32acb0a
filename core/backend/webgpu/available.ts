/** How much memory a GPU has left: found by trying, since WebGPU does not tell. */

/** Rounds of bisection: the answer of `availableBytes` is right to a share of 2⁻⁶ of what is wanted. */
const HALVINGS = 6;

/** About how many bytes can be had, where `wanted` cannot. */
export async function availableBytes(device: GPUDevice, wanted: number): Promise<number> {
  // Memory that was given back is free only once the queue is done.
  await device.queue.onSubmittedWorkDone();
  let can = 0, cannot = wanted;
  for (let round = 0; round < HALVINGS; round++) {
    const middle = (can + cannot) / 2;
    if (await canHave(device, middle)) can = middle;
    else cannot = middle;
  }
  return can;
}

async function canHave(device: GPUDevice, bytes: number): Promise<boolean> {
  device.pushErrorScope("out-of-memory");
  const size = Math.min(device.limits.maxBufferSize, Math.ceil(bytes / 4) * 4);
  const buffers = Array.from(
    { length: Math.ceil(bytes / size) },
    () => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }),
  );
  const error = await device.popErrorScope();
  buffers.forEach((buffer) => buffer.destroy());
  return error === null;
}
