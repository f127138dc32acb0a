/** A worker that reads, decodes and transforms images; two of its jobs may be under way at once. */
import {
  applyTransforms,
  type Draws,
  spareReduction,
  type Transform,
} from "../../core/data/transforms/mod.ts";
import { type Image, withChannels } from "../../core/data/transforms/image.ts";
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
 * it is not the file's fault, as where sharp does not work here.
 */
export type Answer =
  | { readonly pixels: Uint8Array<ArrayBuffer> }
  | { readonly size: PixelSize }
  | { readonly path: string; readonly gone: string }
  | { readonly damaged: string }
  | { readonly unable: string };

/** From now on it is noticed where the worker ends. */
export interface Alive {
  readonly alive: true;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Job & { readonly id: number }>) => void;
  postMessage(message: Alive | Answer & { readonly id: number }, transfer?: Transferable[]): void;
};

beginLife().then(() => scope.postMessage({ alive: true }));

type Decoder = typeof import("./decode.ts");
let loading: Promise<Decoder> | undefined;

scope.onmessage = async ({ data: { id, ...job } }) => {
  const answer = await carryOut(job).catch((error) => ({ unable: firstLine(error) }));
  scope.postMessage({ id, ...answer }, "pixels" in answer ? [answer.pixels.buffer] : []);
};

async function carryOut(job: Job): Promise<Answer> {
  if (job.kind === "change") return { pixels: changeImages(job) };
  const decoder = await (loading ??= import("./decode.ts"));
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
  const { data } = applyTransforms(withChannels(image, channels), transforms, draws);
  // What is sent away must have a buffer of its own.
  const pixels = data.byteLength === data.buffer.byteLength ? data as Uint8Array<ArrayBuffer> : data.slice();
  return { pixels };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
