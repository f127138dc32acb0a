/**
 * Tells when a worker is gone, also where it ends without a word: a worker holds a lock for as long as it lives, and who
 * waits for that lock gets it when the worker is gone. The lock goes by the worker's name. Where there are no locks
 * (`navigator.locks`), nothing is told.
 */

/** As far as it is needed of https://w3c.github.io/web-locks/, which Deno's types leave out. */
interface Locks {
  request(name: string, held: () => unknown): Promise<unknown>;
  request(name: string, options: { readonly signal: AbortSignal }, held: () => unknown): Promise<unknown>;
}

const { locks } = navigator as { readonly locks?: Locks };

/** A name for a worker that no other has. */
export function workerName(kind: string): string {
  return `strata ${kind} ${crypto.randomUUID()}`;
}

/** Within the worker: resolves when its lock is held. */
export function beginLife(): Promise<void> {
  if (!locks) return Promise.resolve();
  return new Promise((resolve) => {
    locks.request(self.name, () => {
      resolve();
      return new Promise(() => {});
    });
  });
}

/** Calls `told` when the worker is gone, unless `signal` comes first. Not before it has begun its life. */
export function onDeath(name: string, told: () => void, signal: AbortSignal): void {
  locks?.request(name, { signal }, told).catch(() => {});
}
