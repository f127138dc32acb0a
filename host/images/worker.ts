/** A worker that reads, decodes and transforms images; two of its jobs may be under way at once. */
import {
  applyTransforms,
  type Draws,
  spareReduction,
  type Transform,
} from "../../core/data/transforms/mod.ts";
import { withChannels } from "../../core/data/transforms/image.ts";
import type { Moment } from "../../core/data/dataset.ts";
import { stream } from "../../core/random.ts";
import type { Header } from "./decode.ts";

export interface LoadJob {
  readonly kind: "load";
  readonly path: string;
  readonly channels: number;
  readonly maxPixels: number;
  readonly transforms: readonly Transform[];
  /** What random transforms depend on; undefined where there are none. */
  readonly at: (Moment & { readonly sample: number }) | undefined;
}

export interface InspectJob {
  readonly kind: "inspect";
  readonly path: string;
  readonly maxPixels: number;
}

export type Job = LoadJob | InspectJob;

/** `gone`: the file itself can't be read; `damaged`: it can, but it is no image; `unable`: sharp does not work here. */
export type Answer =
  | { readonly id: number; readonly pixels: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly header: Header }
  | { readonly id: number; readonly gone: string }
  | { readonly id: number; readonly damaged: string }
  | { readonly id: number; readonly unable: string };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Job & { readonly id: number }>) => void;
  postMessage(message: Answer, transfer?: Transferable[]): void;
};

type Decoder = typeof import("./decode.ts");
let loading: Promise<Decoder> | undefined;

scope.onmessage = async ({ data: { id, ...job } }) => {
  let decoder: Decoder;
  try {
    decoder = await (loading ??= import("./decode.ts"));
  } catch (error) {
    return scope.postMessage({ id, unable: firstLine(error) });
  }
  let bytes: Uint8Array | undefined;
  try {
    if (job.kind === "inspect") {
      await Deno.stat(job.path); // Says what is wrong better than libvips does.
    } else bytes = await Deno.readFile(job.path);
  } catch (error) {
    return scope.postMessage({ id, gone: firstLine(error) });
  }
  try {
    if (bytes && job.kind === "load") {
      const pixels = await load(decoder, bytes, job);
      scope.postMessage({ id, pixels }, [pixels.buffer]);
    } else {
      const header = await decoder.readHeader(job.path);
      decoder.checkPixels(header, job.maxPixels);
      scope.postMessage({ id, header });
    }
  } catch (error) {
    scope.postMessage({ id, damaged: firstLine(error) });
  }
};

async function load({ decode }: Decoder, bytes: Uint8Array, job: LoadJob): Promise<Uint8Array<ArrayBuffer>> {
  const { channels, maxPixels, transforms, at } = job;
  const draws: Draws = (purpose) => {
    if (!at) throw new Error(`${job.path}: a random transform has nothing to draw from`);
    return stream(at.seed, purpose, at.epoch, at.sample);
  };
  const reduction = (header: Header) => spareReduction(header, transforms, draws);
  const image = await decode(bytes, { channels, maxPixels, reduction });
  const { data } = applyTransforms(withChannels(image, channels), transforms, draws);
  // What is sent away must have a buffer of its own.
  return data.byteLength === data.buffer.byteLength ? data as Uint8Array<ArrayBuffer> : data.slice();
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
