/** GPUs that fail, made of one that does not. */

/** Lets the device have so many bytes in buffers, as a GPU with little memory would: the processor has no limit of its own. */
export function limitMemory(device: GPUDevice, bytes: number): void {
  let left = bytes;
  const scopes: { filter: GPUErrorFilter; refused: boolean }[] = [];
  const { createBuffer, pushErrorScope, popErrorScope } = device;
  device.createBuffer = (descriptor) => {
    const { size } = descriptor, fits = size <= left;
    const buffer = createBuffer.call(device, fits ? descriptor : { ...descriptor, size: 4 });
    if (fits) left -= size;
    else refuse();
    const { destroy } = buffer;
    let destroyed = !fits;
    buffer.destroy = () => {
      if (!destroyed) left += size;
      destroyed = true;
      return destroy.call(buffer);
    };
    return buffer;
  };
  device.pushErrorScope = (filter) => {
    scopes.push({ filter, refused: false });
    return pushErrorScope.call(device, filter);
  };
  device.popErrorScope = async () => {
    const scope = scopes.pop();
    const error = await popErrorScope.call(device);
    return scope?.refused ? new GPUOutOfMemoryError("too little memory") : error;
  };

  function refuse(): void {
    const scope = scopes.findLast(({ filter }) => filter === "out-of-memory");
    if (scope) scope.refused = true;
    else {
      const error = new GPUOutOfMemoryError("too little memory");
      device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
    }
  }
}

/** Runs `body`; devices that it opens are destroyed behind a submission of which `when` says so. */
export async function losingGpus<T>(when: () => boolean, body: () => Promise<T>): Promise<T> {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (options) {
    const device = await requestDevice.call(this, options);
    const { queue } = device, { submit } = queue;
    queue.submit = (buffers) => {
      submit.call(queue, buffers);
      if (when()) device.destroy();
    };
    return device;
  };
  try {
    return await body();
  } finally {
    GPUAdapter.prototype.requestDevice = requestDevice;
  }
}
