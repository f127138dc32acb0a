/**
 * CIFAR-10 (Krizhevsky, 2009): 60,000 images of 32×32×3 in six batches. Official files come in two kinds: binary records
 * (a label byte, then the red, green and blue planes) and Python pickles of `{b"data": uint8 [N, 3072], b"labels": list}`.
 */
import { oneLine, UserError } from "../errors.ts";
import { readPickle } from "../format/pickle.ts";
import { PickleError } from "../format/pickle_value.ts";
import { NumpyArray, numpyGlobals } from "../format/pickle_numpy.ts";
import type { DatasetSplit, Normalize } from "./dataset.ts";
import { type Handling, inMemory, type MemoryDataset } from "./memory.ts";

const SIDE = 32;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;
const IMAGE = PLANE * CHANNELS;
const RECORD = 1 + IMAGE;
const BATCH = 10_000;

/** Size of an official binary batch; none may be larger. */
const BINARY_BATCH_BYTES = BATCH * RECORD;

const CLASSES = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

/** The published constants of the original PyTorch recipes, and their moves. */
export const cifar10Normalize: Normalize = {
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.2023, 0.1994, 0.2010],
};
const handling: Handling = { padding: 4, hflip: 0.5 };

/** The images of one file. */
export interface CifarBatch {
  readonly file: string;
  /** `[N, 32, 32, 3]` */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** `data_batch_1.bin` and the like: any whole number of records up to the official 10,000. */
export function parseBinaryBatch(bytes: Uint8Array, file: string): CifarBatch {
  checkBinarySize(bytes.length, file);
  const count = bytes.length / RECORD;
  const images = new Uint8Array(count * IMAGE);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const record = bytes.subarray(i * RECORD, (i + 1) * RECORD);
    labels[i] = checkLabel(record[0], i, file);
    interleave(record.subarray(1), images.subarray(i * IMAGE, (i + 1) * IMAGE));
  }
  return { file, images, labels };
}

/** One clear line unless a binary batch can have this size; sizes are known before anything large is read. */
export function checkBinarySize(bytes: number, file: string): void {
  if (bytes > 0 && bytes % RECORD === 0 && bytes <= BINARY_BATCH_BYTES) return;
  throw new UserError(
    `${file}: ${bytes} bytes, expected ${BINARY_BATCH_BYTES} (${BATCH} records of ${RECORD} bytes; fewer whole records ` +
      `will do); the file is ${bytes < BINARY_BATCH_BYTES ? "short" : "too long"} or corrupt, get it again`,
  );
}

/** `data_batch_1` and the like. The pickle is read as data; nothing in it is run. */
export function parsePythonBatch(bytes: Uint8Array, file: string): CifarBatch {
  const fail = (what: string): never => {
    throw new UserError(`${file}: not a readable CIFAR-10 batch: ${oneLine(what)}; get the file again`);
  };
  let batch;
  try {
    batch = readPickle(bytes, { globals: numpyGlobals }).value;
  } catch (error) {
    if (error instanceof PickleError) return fail(error.message);
    throw error;
  }
  if (!(batch instanceof Map)) return fail("the pickle holds no dict");
  const data = batch.get("data");
  const labels = batch.get("labels");
  if (!(data instanceof NumpyArray) || data.shape.length !== 2) return fail(`it has no array "data"`);
  if (!Array.isArray(labels)) return fail(`it has no list "labels"`);
  const [count, width] = data.shape as [number, number];
  if (width !== IMAGE || count < 1 || count > BATCH) {
    return fail(`"data" is [${count}, ${width}], expected [${BATCH}, ${IMAGE}]`);
  }
  if (data.data.length !== count * IMAGE) {
    return fail(`"data" has ${data.data.length} bytes, expected ${count * IMAGE}`);
  }
  if (labels.length !== count) return fail(`${labels.length} labels, expected ${count}`);

  const images = new Uint8Array(count * IMAGE);
  const rows = data.fortranOrder ? transpose(data.data, count) : data.data;
  for (let i = 0; i < count; i++) {
    interleave(rows.subarray(i * IMAGE, (i + 1) * IMAGE), images.subarray(i * IMAGE, (i + 1) * IMAGE));
  }
  return { file, images, labels: Uint8Array.from(labels, (label, i) => checkLabel(label, i, file)) };
}

function checkLabel(label: unknown, record: number, file: string): number {
  if (Number.isInteger(label) && (label as number) >= 0 && (label as number) < CLASSES.length) {
    return label as number;
  }
  throw new UserError(
    `${file}: record ${record} has label ${label}, expected 0 to ${
      CLASSES.length - 1
    }; the file is corrupt, get it again`,
  );
}

/** From `[IMAGE, count]` to `[count, IMAGE]`. */
function transpose(columns: Uint8Array, count: number): Uint8Array {
  const rows = new Uint8Array(columns.length);
  for (let j = 0, at = 0; j < IMAGE; j++) {
    for (let i = 0; i < count; i++) rows[i * IMAGE + j] = columns[at++]!;
  }
  return rows;
}

/** Planes to interleaved channels. */
function interleave(planes: Uint8Array, image: Uint8Array): void {
  for (let pixel = 0, at = 0; pixel < PLANE; pixel++) {
    for (let channel = 0; channel < CHANNELS; channel++) image[at++] = planes[channel * PLANE + pixel]!;
  }
}

/** The data set of its batches: those to train on in their order, and the one to test on. */
export function assembleCifar10(
  train: readonly CifarBatch[],
  test: CifarBatch,
  notes: readonly string[] = [],
): DatasetSplit<MemoryDataset> {
  const [training, testing] = [join(train), join([test])];
  const subset = training.count === 5 * BATCH && testing.count === BATCH ? [] : [
    `a subset of CIFAR-10: ${training.count} training and ${testing.count} test images, officially ${
      5 * BATCH
    } ` +
    `and ${BATCH}`,
  ];
  return { train: training, test: testing, normalize: cifar10Normalize, notes: [...notes, ...subset] };
}

function join(batches: readonly CifarBatch[]): MemoryDataset {
  const count = batches.reduce((sum, { labels }) => sum + labels.length, 0);
  const images = new Uint8Array(count * IMAGE);
  const labels = new Uint8Array(count);
  let at = 0;
  for (const batch of batches) {
    images.set(batch.images, at * IMAGE);
    labels.set(batch.labels, at);
    at += batch.labels.length;
  }
  const size = { width: SIDE, height: SIDE, channels: CHANNELS };
  return inMemory({ name: "cifar10", classes: CLASSES, ...size, images, labels }, handling);
}
