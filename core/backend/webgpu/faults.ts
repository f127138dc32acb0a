/** What goes wrong with a GPU where nobody waits for it: told to whoever waits for its work. */
import { DeviceLost } from "../backend.ts";

/** Milliseconds after a failure in which the loss of the GPU may turn out to be its cause. */
const CONSEQUENCES = 100;

/**
 * Does `work`, unless the GPU is lost meanwhile: then throws `DeviceLost`. Throws as well where WebGPU refused something of
 * which nobody was told: no result is to be trusted after that.
 */
export type Watch = <T>(work: Promise<T>) => Promise<T>;

/** Watches over a device that is called `name`. */
export function watchDevice(device: GPUDevice, name: string): Watch {
  let refused: string | undefined;
  let lost: DeviceLost | undefined;
  /** Those who wait: kept here, since what is chained to the promise of the loss stays there as long as the device. */
  const waiting = new Set<(lost: DeviceLost) => void>();
  device.addEventListener("uncapturederror", (event) => {
    refused ??= (event as GPUUncapturedErrorEvent).error.message;
  });
  device.lost.then(({ message }) => {
    lost = new DeviceLost(`the GPU (${name}) was lost: ${message || "its driver does not say why"}`);
    for (const tell of waiting) tell(lost);
  });

  return async (work) => {
    let tell!: (lost: DeviceLost) => void;
    const gone = new Promise<never>((_, reject) => tell = reject);
    gone.catch(() => {});
    waiting.add(tell);
    try {
      if (lost) throw lost;
      const done = await Promise.race([work, gone]);
      if (refused !== undefined) throw new Error(`Strata is at fault: WebGPU refused something: ${refused}`);
      return done;
    } catch (error) {
      // What fails first may be a consequence.
      const failed = new Promise<never>((_, reject) => setTimeout(() => reject(lost ?? error), CONSEQUENCES));
      throw await Promise.race([gone, failed]).catch((cause) => cause);
    } finally {
      waiting.delete(tell);
    }
  };
}
