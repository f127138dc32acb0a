/**
 * MNIST (LeCun, Cortes & Burges): 70,000 handwritten digits, 28×28 grey pixels. As in LeNet-5 (LeCun et al., 1998) they
 * get a black frame of 2 pixels, and are then as large as CIFAR-10's images, for which most small networks are made.
 */
import { UserError } from "../errors.ts";
import type { DatasetSplit, Normalize } from "./dataset.ts";
import { readIdx } from "./idx.ts";
import { type Handling, inMemory, type MemoryDataset, type MemoryImages } from "./memory.ts";
import type { Transform } from "./transforms/mod.ts";

const SIDE = 28;
const FRAME = 2;
const FRAMED = SIDE + 2 * FRAME;

/** What turns any image into one such as these. */
export const likeMnist: readonly Transform[] = [
  { name: "Resize", size: [SIDE, SIDE] },
  { name: "Pad", padding: FRAME },
];

/** The published constants, of images without their frame. */
export const mnistNormalize: Normalize = { mean: [0.1307], std: [0.3081] };

/** A mirrored digit is no digit. */
const handling: Handling = { padding: 2, hflip: 0 };

/** One of the two parts: a file of images and one of labels. */
export interface MnistPart {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  /** What errors call the files. */
  readonly imagesFile: string;
  readonly labelsFile: string;
}

/** The data set of the two parts' files. Throws `UserError`, naming the file, where one does not hold what it should. */
export function assembleMnist(
  train: MnistPart,
  test: MnistPart,
  notes: readonly string[] = [],
): DatasetSplit<MemoryDataset> {
  return {
    train: inMemory(parsePart(train), handling),
    test: inMemory(parsePart(test), handling),
    normalize: mnistNormalize,
    notes,
  };
}

function parsePart({ images, labels, imagesFile, labelsFile }: MnistPart): MemoryImages {
  const { shape, data } = readIdx(images, 3, imagesFile);
  const [count, height, width] = shape as [number, number, number];
  if (height !== SIDE || width !== SIDE) {
    throw new UserError(`${imagesFile}: images of ${height}×${width}, expected ${SIDE}×${SIDE}`);
  }
  const { data: classes } = readIdx(labels, 1, labelsFile);
  if (classes.length !== count) {
    throw new UserError(`${labelsFile}: ${classes.length} labels for the ${count} images of ${imagesFile}`);
  }
  if (count === 0) throw new UserError(`${imagesFile}: there are no images in it`);
  const wrong = classes.findIndex((label) => label > 9);
  if (wrong >= 0) throw new UserError(`${labelsFile}: label ${wrong} is ${classes[wrong]}, expected 0 to 9`);
  const size = { width: FRAMED, height: FRAMED, channels: 1 };
  return { name: "mnist", classes: [..."0123456789"], ...size, images: framed(data, count), labels: classes };
}

function framed(data: Uint8Array, count: number): Uint8Array {
  const images = new Uint8Array(count * FRAMED * FRAMED);
  for (let row = 0; row < count * SIDE; row++) {
    const [image, y] = [Math.floor(row / SIDE), row % SIDE];
    const to = (image * FRAMED + FRAME + y) * FRAMED + FRAME;
    images.set(data.subarray(row * SIDE, (row + 1) * SIDE), to);
  }
  return images;
}
