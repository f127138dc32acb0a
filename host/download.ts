import { dirname } from "node:path";
import { UserError } from "../core/errors.ts";
import { makeFolder, reason, statIfThere, writeAll } from "./files.ts";
import { md5OfFile } from "./md5.ts";

/** Called as bytes arrive; `total` is undefined where the server does not say. */
export type Progress = (received: number, total: number | undefined) => void;

export interface DownloadOptions {
  readonly progress?: Progress | undefined;
  /** Gives up when nothing arrives for so long. */
  readonly idleMilliseconds?: number;
}

/**
 * Downloads `url` to `target` by way of `target.part`, which an interrupted download leaves behind and the next one goes
 * on from. Only a complete file with this md5 gets the name `target`.
 */
export async function download(
  url: string,
  target: string,
  md5: string,
  { progress, idleMilliseconds = 30_000 }: DownloadOptions = {},
): Promise<void> {
  const part = `${target}.part`;
  const watch = new Watchdog(idleMilliseconds);
  try {
    const have = (await statIfThere(part))?.size ?? 0;
    const { response, from } = await request({ url, target, have }, watch);
    await makeFolder(dirname(target));
    if (response) await receive(response, part, from, watch, progress);
  } finally {
    watch.stop();
  }

  const found = await md5OfFile(part);
  if (found !== md5) {
    throw new UserError(
      `${part}: downloaded from ${url}, but its md5 is ${found} and should be ${md5}; delete this file and try again`,
    );
  }
  try {
    await Deno.rename(part, target);
  } catch (error) {
    throw new UserError(`${part}: is complete, but cannot be renamed to ${target} (${reason(error)})`);
  }
}

interface Wish {
  readonly url: string;
  readonly target: string;
  /** Bytes that are there already. */
  readonly have: number;
}

/** Asks for the bytes after those that are there; without a response where all are. */
async function request(wish: Wish, watch: Watchdog): Promise<{ response?: Response; from: number }> {
  const { url, have } = wish;
  let response: Response;
  try {
    response = await fetch(url, {
      // Encoded, the file's bytes would not be the ones that were counted and summed up.
      headers: { "accept-encoding": "identity", ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
      signal: watch.signal,
    });
  } catch (error) {
    throw cannotDownload(wish, watch.reason ?? reason(error));
  }
  watch.feed();
  if (response.status === 200) return { response, from: 0 };
  const range = response.headers.get("content-range") ?? "";
  if (have > 0 && response.status === 206 && range.startsWith(`bytes ${have}-`)) {
    return { response, from: have };
  }
  await response.body?.cancel();
  if (have > 0 && response.status === 416 && range === `bytes */${have}`) return { from: have };
  // The part does not fit what the server has now.
  if (have > 0 && (response.status === 416 || response.status === 206)) {
    return request({ ...wish, have: 0 }, watch);
  }
  throw cannotDownload(wish, `the server answers ${response.status} ${response.statusText}`);
}

function cannotDownload({ url, target }: Wish, why: string): UserError {
  return new UserError(`cannot download ${url} (${why}); get it by other means and put it at ${target}`);
}

async function receive(
  response: Response,
  part: string,
  from: number,
  watch: Watchdog,
  progress: Progress | undefined,
): Promise<void> {
  const length = response.headers.get("content-length");
  const total = length === null ? undefined : from + Number(length);
  let received = from;
  let problem: string | undefined;
  try {
    using file = await Deno.open(part, {
      create: true,
      ...(from > 0 ? { append: true } : { write: true, truncate: true }),
    });
    progress?.(received, total);
    for await (const chunk of response.body ?? []) {
      watch.feed();
      await writeAll(file, chunk);
      received += chunk.length;
      progress?.(received, total);
    }
    await file.sync();
  } catch (error) {
    problem = watch.reason ?? reason(error);
  }
  if (total !== undefined && received < total) problem ??= "the server closed the connection";
  if (problem) {
    throw new UserError(
      `${part}: the download stopped at ${received} of ${
        total ?? "?"
      } bytes (${problem}); the same command goes on from there`,
    );
  }
}

/** Aborts when it is not fed in time. */
class Watchdog {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal = this.controller.signal;
  reason: string | undefined;

  constructor(private readonly milliseconds: number) {
    this.feed();
  }

  feed(): void {
    this.stop();
    this.timer = setTimeout(() => {
      this.reason = `nothing arrived for ${this.milliseconds / 1000} seconds`;
      this.controller.abort();
    }, this.milliseconds);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
