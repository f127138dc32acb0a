/** Workers that decode and vary images, so that the main thread never does. */
import type { ImageChange } from "../../core/data/change.ts";
import { UserError } from "../../core/errors.ts";
import { type Died, onDeath, SILENT, WorkerDied, workerName } from "../../core/worker_life.ts";
import type { PixelSize } from "./quick_size.ts";
import type { Alive, Answer, InspectJob, Job, LoadJob } from "./worker.ts";

/** Jobs that a worker may have at hand: beside a GPU this thread cannot hand out any for a third of a second. */
const AT_HAND = 64;

/** No image can be had from the file. */
export class DamagedImage extends Error {
  override readonly name = "DamagedImage";
}

/** The file can't be read at all, though it could be when it was found. */
export class LostImage extends UserError {
  constructor(path: string, readonly why: string) {
    super(`${path}: cannot be read any more (${why})`);
  }
}

export interface ImagePool {
  /** Pixels `[height, width, channels]` of a file after its transforms. Throws `DamagedImage` or `LostImage`. */
  load(job: Omit<LoadJob, "kind">): Promise<Uint8Array>;
  /** What a file says of itself. Throws `DamagedImage`, also where it can't be read. */
  inspect(job: Omit<InspectJob, "kind">): Promise<PixelSize>;
  /** Bytes `[N, height, width, channels]` of images that are in memory already, after their transforms. */
  change(change: ImageChange): Promise<Uint8Array>;
  close(): void;
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly under: Map<number, Waiting>;
  /** How many jobs it may have: none before it is known to live, since nobody would notice its end. */
  room: number;
}

function roomOf({ under, room }: Thread): number {
  return room - under.size;
}

/** As many as anybody may ask for. */
export const MOST_WORKERS = 64;

/**
 * How many workers go well with so many hardware threads: all of them compute as well, or a GPU does and leaves all but one to
 * the workers.
 */
export function defaultWorkers(
  device: "cpu" | "webgpu",
  hardwareThreads: number = navigator.hardwareConcurrency,
): number {
  const workers = device === "cpu" ? Math.ceil(hardwareThreads / 4) : hardwareThreads - 1;
  return Math.min(Math.max(1, workers), MOST_WORKERS);
}

/** Workers start with their first job. Jobs are begun in the order in which they were given. */
export function createImagePool(workers: number = defaultWorkers("cpu")): ImagePool {
  const queue: Waiting[] = [];
  const threads: Thread[] = [];
  let nextId = 0;
  let failure: Error | undefined;
  const closed = new AbortController();

  function startWorker(): void {
    const name = workerName("images");
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name });
    const thread: Thread = { worker, under: new Map(), room: 0 };
    const { under } = thread;
    const died = (why: string) => {
      failure ??= new WorkerDied("a worker that decodes images", why);
      for (const { reject } of [...under.values(), ...queue.splice(0)]) reject(failure);
      under.clear();
      worker.terminate(); // One that is left after an error still answers.
    };
    worker.onmessage = ({ data }: MessageEvent<Alive | Died | Answer & { readonly id: number }>) => {
      if ("alive" in data) {
        onDeath(name, () => died(SILENT), closed.signal);
        thread.room = AT_HAND;
        return handOut();
      }
      if ("died" in data) return died(data.died);
      const waiting = under.get(data.id)!;
      under.delete(data.id);
      handOut();
      waiting.resolve(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      died(event.message);
    };
    threads.push(thread);
  }

  function handOut(): void {
    if (queue.length > 0 && threads.length < workers) startWorker();
    while (queue.length > 0) {
      const { worker, under, room } = threads.reduce((a, b) => roomOf(b) > roomOf(a) ? b : a);
      if (under.size >= room) return;
      const waiting = queue.shift()!;
      under.set(nextId, waiting);
      worker.postMessage({ ...waiting.job, id: nextId++ });
    }
  }

  async function ask(job: Job): Promise<Answer> {
    if (failure) throw failure;
    const answer = await new Promise<Answer>((resolve, reject) => {
      queue.push({ job, resolve, reject });
      handOut();
    });
    if ("damaged" in answer) throw new DamagedImage(answer.damaged);
    if ("gone" in answer) throw new LostImage(answer.path, answer.gone);
    if ("fault" in answer) throw new Error(answer.fault);
    if ("unable" in answer) {
      throw new UserError(
        `images cannot be decoded here (${answer.unable.replace(/, run again.*/, "")}); decoding takes the ` +
          `permissions of "deno task train", and sharp as "deno install" installs it`,
      );
    }
    return answer;
  }

  async function pixelsOf(job: Job): Promise<Uint8Array> {
    return (await ask(job) as Extract<Answer, { pixels: unknown }>).pixels;
  }

  return {
    load: (job) => pixelsOf({ ...job, kind: "load" }),
    change: (change) => pixelsOf({ ...change, kind: "change" }),
    async inspect(job) {
      return (await ask({ ...job, kind: "inspect" }) as Extract<Answer, { size: unknown }>).size;
    },
    close() {
      closed.abort();
      failure ??= new Error("the pool that decodes images is closed");
      for (const { worker, under } of threads.splice(0)) {
        worker.terminate();
        for (const { reject } of under.values()) reject(failure);
      }
      for (const { reject } of queue.splice(0)) reject(failure);
    },
  };
}
