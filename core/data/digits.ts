/**
 * Alpaydin & Kaynak's handwritten digits (UCI Machine Learning Repository, 1998, CC BY 4.0): 1,797 grey images of 8×8
 * pixels, scaled to the 32×32×3 that networks for CIFAR-10 eat. The file is part of the project.
 */
import { UserError } from "../errors.ts";
import type { DatasetSplit, Normalize } from "./dataset.ts";
import { type Handling, inMemory, type MemoryDataset, type MemoryImages, pick } from "./memory.ts";

const SIDE = 8;
const WHITE = 16;
const SCALE = 4;
const CHANNELS = 3;
/** Every fifth image of a class is a test image. */
const TEST_EVERY = 5;

/**
 * Mean and standard deviation of all bytes of the scaled training images, over 255; a test computes them again. The
 * three channels are equal.
 */
export const digitsNormalize: Normalize = {
  mean: [0.3051, 0.3051, 0.3051],
  std: [0.3238, 0.3238, 0.3238],
};

/** A mirrored digit is no digit. */
const handling: Handling = { padding: 2, hflip: 0 };

/** Reads the file that comes with the project, also in a browser. */
export async function loadDigits(
  url: URL = new URL("../../data/digits.csv.gz", import.meta.url),
): Promise<DatasetSplit<MemoryDataset>> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new UserError(`${url}: cannot be read; it is a part of Strata, so install Strata again`);
  }
  if (!response.ok || !response.body) throw new UserError(`${url}: cannot be read (HTTP ${response.status})`);
  try {
    const csv = await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).text();
    return parseDigits(csv);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${url}: not a readable gzip file; it is a part of Strata, so install Strata again`);
  }
}

/** Lines of 64 grey values 0…16, row by row, then the digit. */
export function parseDigits(csv: string, file = "digits.csv"): DatasetSplit<MemoryDataset> {
  const rows = csv.trimEnd().split("\n").map((line, i) => parseRow(line, `${file} line ${i + 1}`));
  const image = (SIDE * SCALE) ** 2 * CHANNELS;
  const images = new Uint8Array(rows.length * image);
  rows.forEach((row, i) => upscale(row, images.subarray(i * image, (i + 1) * image)));
  const all: MemoryImages = {
    name: "digits",
    classes: [..."0123456789"],
    width: SIDE * SCALE,
    height: SIDE * SCALE,
    channels: CHANNELS,
    images,
    labels: Uint8Array.from(rows, (row) => row[SIDE * SIDE]!),
  };
  const { train, test } = stratify(all.labels);
  return {
    train: inMemory(pick(all, train), handling),
    test: inMemory(pick(all, test), handling),
    normalize: digitsNormalize,
    notes: [],
  };
}

function parseRow(line: string, where: string): Uint8Array {
  const fields = line.trim().split(",");
  if (fields.length !== SIDE * SIDE + 1) {
    throw new UserError(`${where}: ${fields.length} numbers, expected ${SIDE * SIDE} pixels and a label`);
  }
  const row = new Uint8Array(fields.length);
  for (const [i, field] of fields.entries()) {
    const most = i < SIDE * SIDE ? WHITE : 9;
    const value = /^\d+$/.test(field) ? Number(field) : NaN;
    if (!(value <= most)) {
      const what = i < SIDE * SIDE ? "a pixel" : "a label";
      throw new UserError(`${where}: "${field}", expected ${what} of 0 to ${most}`);
    }
    row[i] = value;
  }
  return row;
}

/**
 * Bilinear with `align_corners=false`: output pixel i lies at (i + ½) / 4 − ½ of the input, held inside it. At a scale of
 * 4 the weights are odd eighths, so all is done in whole numbers and every machine has the same bytes; halves round up.
 */
function upscale(row: Uint8Array, target: Uint8Array): void {
  const line = new Uint8Array(SIDE);
  let at = 0;
  for (let y = 0; y < BEFORE.length; y++) {
    const top = BEFORE[y]! * SIDE, bottom = AFTER[y]! * SIDE, below = EIGHTHS[y]!;
    for (let x = 0; x < SIDE; x++) line[x] = (8 - below) * row[top + x]! + below * row[bottom + x]!;
    for (let x = 0; x < BEFORE.length; x++) {
      const right = EIGHTHS[x]!;
      const byte = BYTES[(8 - right) * line[BEFORE[x]!]! + right * line[AFTER[x]!]!]!;
      for (let channel = 0; channel < CHANNELS; channel++) target[at++] = byte;
    }
  }
}

/** Of each output pixel along an axis: the two input pixels around it, and the second one's weight in eighths. */
const neighbours = Array.from({ length: SIDE * SCALE }, (_, i) => {
  const eighths = Math.min(Math.max(2 * i - 3, 0), (SIDE - 1) * 8), before = eighths >> 3;
  return { before, after: Math.min(before + 1, SIDE - 1), share: eighths & 7 };
});
const BEFORE = Uint8Array.from(neighbours, ({ before }) => before);
const AFTER = Uint8Array.from(neighbours, ({ after }) => after);
const EIGHTHS = Uint8Array.from(neighbours, ({ share }) => share);

/** The byte of each grey value in 64ths. */
const BYTES = Uint8Array.from(
  { length: WHITE * 64 + 1 },
  (_, grey) => Math.floor((grey * 255 * 2 + WHITE * 64) / (WHITE * 64 * 2)),
);

/**
 * The fixed split: of each class, in the file's order, four images to train on and the fifth to test on. Both parts have
 * the classes in equal shares, and are the same on every machine.
 */
function stratify(labels: Uint8Array): { train: number[]; test: number[] } {
  const seen = new Array<number>(10).fill(0);
  const train: number[] = [];
  const test: number[] = [];
  labels.forEach((label, i) => {
    const nth = seen[label]! + 1;
    seen[label] = nth;
    (nth % TEST_EVERY === 0 ? test : train).push(i);
  });
  return { train, test };
}
