/** Failures of a GPU that reach no caller by themselves: they are thrown to whoever waits for its work. */
import { DeviceLost } from "../backend.ts";

/** How many milliseconds after a failure the loss of the GPU may still turn out to be its cause. */
const CONSEQUENCES = 100;

/**
 * Does `work`, unless the GPU is lost meanwhile, or has no memory left: then throws `DeviceLost`. Throws as well where WebGPU
 * refused something of which nobody was told: no result is to be trusted after that.
 */
export type Watch = <T>(work: Promise<T>) => Promise<T>;

/** Watches over a device that is called `name`. */
export function watchDevice(device: GPUDevice, name: string): Watch {
  let lost: DeviceLost | undefined;
  let refused: Error | undefined;
  /** Those who wait: kept here, since what is chained to the promise of the loss stays there as long as the device. */
  const waiting = new Set<(lost: DeviceLost) => void>();
  device.addEventListener("uncapturederror", (event) => {
    const { error } = event as GPUUncapturedErrorEvent;
    refused ??= error instanceof GPUOutOfMemoryError
      ? new DeviceLost(`the GPU (${name}) has no memory left: use a smaller batch`)
      : new Error(`Strata is at fault: WebGPU refused something: ${error.message}`);
  });
  device.lost.then(({ message }) => {
    lost = new DeviceLost(`the GPU (${name}) was lost: ${message || "its driver does not say why"}`);
    for (const tell of waiting) tell(lost);
  });

  return async (work) => {
    const gone = Promise.withResolvers<never>();
    waiting.add(gone.reject);
    try {
      if (lost) throw lost;
      const done = await Promise.race([work, gone.promise]);
      if (refused) throw refused;
      return done;
    } catch (error) {
      // What fails first may be a consequence.
      const later = new Promise<never>((_, reject) => {
        setTimeout(() => reject(lost ?? refused ?? error), CONSEQUENCES);
      });
      return await Promise.race([gone.promise, later]);
    } finally {
      waiting.delete(gone.reject);
    }
  };
}
