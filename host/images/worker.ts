/** A worker that reads, decodes and transforms images; two of its jobs may be under way at once. */
import {
  applyTransforms,
  type Draws,
  spareReduction,
  type Transform,
} from "../../core/data/transforms/mod.ts";
import { CannotTransform, type Image, withChannels } from "../../core/data/transforms/image.ts";
import { changeImages, type ImageChange } from "../../core/data/change.ts";
import type { Moment } from "../../core/data/dataset.ts";
import { stream } from "../../core/random.ts";
import type { Header } from "./decode.ts";
import { beginLife } from "../../core/worker_life.ts";
import { checkIsFile, reason } from "../files.ts";
import { HEAD_BYTES, type PixelSize, quickSize } from "./quick_size.ts";

export interface LoadJob {
  readonly kind: "load";
  readonly path: string;
  readonly channels: number;
  readonly maxPixels: number;
  readonly transforms: readonly Transform[];
  /**
   * What random transforms depend on; undefined where there are none, as in evaluations. A large image is then decoded whole,
   * though a part of its pixels would nearly do and take less time: results are torchvision's.
   */
  readonly at: (Moment & { readonly sample: number }) | undefined;
}

export interface InspectJob {
  readonly kind: "inspect";
  readonly path: string;
  readonly maxPixels: number;
}

/** Images that are in memory already. */
export interface ChangeJob extends ImageChange {
  readonly kind: "change";
}

export type Job = LoadJob | InspectJob | ChangeJob;

/**
 * `damaged`: no image can be had from the file; `gone`: the file itself can't be read, which only a load tells apart; `unable`:
 * nothing can be decoded here, as where sharp does not work; `fault`: Strata's own.
 */
export type Answer =
  | { readonly pixels: Uint8Array<ArrayBuffer> }
  | { readonly size: PixelSize }
  | { readonly path: string; readonly gone: string }
  | { readonly damaged: string }
  | { readonly unable: string }
  | { readonly fault: string };

/** From now on it is noticed where the worker ends. */
export interface Alive {
  readonly alive: true;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Numbered>) => void;
  postMessage(message: Alive | Answer & { readonly id: number }, transfer?: Transferable[]): void;
};

beginLife().then(() => scope.postMessage({ alive: true }));

type Decoder = typeof import("./decode.ts");
let loading: Promise<Decoder> | undefined;

/** While sharp decodes one image on a thread of its own, another is transformed. */
const AT_ONCE = 2;

type Numbered = Job & { readonly id: number };
const atHand: Numbered[] = [];
let underWay = 0;

scope.onmessage = ({ data }) => {
  atHand.push(data);
  proceed();
};

function proceed(): void {
  while (underWay < AT_ONCE && atHand.length > 0) {
    underWay++;
    answer(atHand.shift()!).finally(() => {
      underWay--;
      proceed();
    });
  }
}

async function answer({ id, ...job }: Numbered): Promise<void> {
  const answer = await carryOut(job).catch((error): Answer => {
    if (error instanceof Deno.errors.NotCapable) return { unable: firstLine(error) };
    const what = error instanceof Error ? error.stack ?? String(error) : String(error);
    return { fault: "path" in job ? `${job.path}: ${what}` : what };
  });
  scope.postMessage({ id, ...answer }, "pixels" in answer ? [answer.pixels.buffer] : []);
}

async function carryOut(job: Job): Promise<Answer> {
  if (job.kind === "change") return { pixels: changeImages(job) };
  let decoder: Decoder;
  try {
    decoder = await (loading ??= import("./decode.ts"));
  } catch (error) {
    return { unable: firstLine(error) };
  }
  return job.kind === "inspect" ? await inspect(decoder, job) : await load(decoder, job);
}

const head = new Uint8Array(HEAD_BYTES);

async function inspect(
  { readHeader, checkPixels }: Decoder,
  { path, maxPixels }: InspectJob,
): Promise<Answer> {
  let length: number;
  try {
    checkIsFile(path);
    using file = Deno.openSync(path);
    length = file.readSync(head) ?? 0;
  } catch (error) {
    return { damaged: reason(error) };
  }
  try {
    const size = quickSize(head.subarray(0, length)) ?? await readHeader(path);
    checkPixels(size, maxPixels);
    return { size };
  } catch (error) {
    return { damaged: firstLine(error) };
  }
}

async function load({ decode }: Decoder, job: LoadJob): Promise<Answer> {
  const { path, channels, maxPixels, transforms, at } = job;
  let bytes: Uint8Array;
  try {
    checkIsFile(path);
    bytes = await Deno.readFile(path);
  } catch (error) {
    return { path, gone: reason(error) };
  }
  const draws: Draws = (purpose) => {
    if (!at) throw new Error(`${path}: a random transform has nothing to draw from`);
    return stream(at.seed, purpose, at.epoch, at.sample);
  };
  const reduction = (header: Header) => at ? spareReduction(header, transforms, draws) : 1;
  let image: Image;
  try {
    image = await decode(bytes, { maxPixels, reduction });
  } catch (error) {
    return { damaged: firstLine(error) };
  }
  let data: Uint8Array;
  try {
    ({ data } = applyTransforms(withChannels(image, channels), transforms, draws));
  } catch (error) {
    if (isTooLarge(error)) return { damaged: firstLine(error) };
    throw error;
  }
  // What is sent away must have a buffer of its own.
  const pixels = data.byteLength === data.buffer.byteLength ? data as Uint8Array<ArrayBuffer> : data.slice();
  return { pixels };
}

/** Whether an image became larger than memory holds. */
function isTooLarge(error: unknown): boolean {
  return error instanceof CannotTransform || (error instanceof RangeError && /array/i.test(error.message));
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
