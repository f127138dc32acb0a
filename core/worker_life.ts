/**
 * Tells when a worker is gone, also where it ends without a word: a worker holds a lock for as long as it lives, and who
 * waits for that lock gets it when the worker is gone. The lock goes by the worker's name. Where there are no locks
 * (`navigator.locks`), nothing is told.
 */
import { oneLine } from "./errors.ts";

/** As far as it is needed of https://w3c.github.io/web-locks/, which Deno's types leave out. */
interface Locks {
  request(name: string, held: () => unknown): Promise<unknown>;
  request(name: string, options: { readonly signal: AbortSignal }, held: () => unknown): Promise<unknown>;
}

/** Of a worker, whose types are not those of a page. */
const scope = self as unknown as { postMessage(message: Died): void };

const { locks } = navigator as { readonly locks?: Locks };

/** A name for a worker that no other has. */
export function workerName(kind: string): string {
  return `strata ${kind} ${crypto.randomUUID()}`;
}

/** What a worker says where something went wrong in it that nobody caught. */
export interface Died {
  readonly died: string;
}

/** Within the worker: resolves when its lock is held. From now on it tells of errors that nobody catches by `Died`. */
export function beginLife(): Promise<void> {
  self.addEventListener("error", (event) => tell(event, event.error));
  self.addEventListener("unhandledrejection", (event) => tell(event, event.reason));
  if (!locks) return Promise.resolve();
  return new Promise((resolve) => {
    locks.request(self.name, () => {
      resolve();
      return new Promise(() => {});
    });
  });
}

/** Instead of a stack trace on the terminal, one line with the file and line that it came from. */
function tell(event: Event, error: unknown): void {
  event.preventDefault();
  const place = error instanceof Error ? /[\w-]+\.ts:\d+/.exec(error.stack ?? "")?.[0] : undefined;
  const died = `${error}${place === undefined ? "" : ` (${place})`}`;
  scope.postMessage({ died });
}

/** Calls `told` when the worker is gone, unless `signal` comes first. Not before it has begun its life. */
export function onDeath(name: string, told: () => void, signal: AbortSignal): void {
  locks?.request(name, { signal }, told).catch(() => {});
}

/** A worker is gone, so what was asked of it will not be answered. The message is one line. */
export class WorkerDied extends Error {
  override readonly name = "WorkerDied";

  /** `who`: "worker 2 of the compute pool", say. */
  constructor(who: string, why: string) {
    super(oneLine(`${who} died: ${why}`));
  }
}

/** Why, where it ended without an error that anybody heard of. */
export const SILENT = "it ended without a word";
