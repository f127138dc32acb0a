/** Which images a detector is trained on, and which it is tested on. */
import { UserError } from "../../core/errors.ts";
import { DEFAULT_SPLIT, drawByName, TESTS } from "../images/files.ts";
import type { AnnotatedImages } from "./annotated.ts";

export interface SplitOptions {
  /** Share to test on where no list says; undefined for the usual one. */
  readonly valSplit: number | undefined;
  readonly seed: number;
  /** Whether nothing is held back, since the images to train on are tested on. */
  readonly overfit?: boolean | undefined;
  /** Which list is tested on, alone; undefined for the usual one. */
  readonly list?: string | undefined;
  /** Whether images that nobody divided are all to be tested on. */
  readonly testAll?: boolean | undefined;
}

/** Indices of images. */
export interface Split {
  readonly train: readonly number[];
  readonly test: readonly number[];
  readonly notes: readonly string[];
}

/** Lists to train on; the first one that is there. */
const TRAINS = ["train", "trainval"];

/**
 * By the lists or folders where there are some: `train` (or `trainval`), and `val` (or `test`). Else by the seed: the same
 * images whenever it is the same.
 */
export function splitOf({ images, sets }: AnnotatedImages, folder: string, options: SplitOptions): Split {
  if (options.list !== undefined) return { train: [], test: listOf(sets, options.list, folder), notes: [] };
  const all = [...images.keys()];
  const named = (names: readonly string[]) => names.find((name) => sets.has(name));
  const trains = named(TRAINS);
  const training = trains === undefined ? all : sets.get(trains)!;
  // Of VOC's trainval, val is a part.
  const tests = named(trains === "trainval" ? ["test"] : TESTS);
  if (trains !== undefined && tests !== undefined) {
    if (options.valSplit !== undefined) {
      throw new UserError(
        `--val-split has no effect with --data ${folder}: it says itself what to test on (${tests})`,
      );
    }
    return { train: training, test: sets.get(tests)!, notes: [`trains on ${trains}, tests on ${tests}`] };
  }
  if (trains === undefined && tests !== undefined && options.testAll) {
    return { train: [], test: sets.get(tests)!, notes: [`tests on ${tests}`] };
  }
  if (options.overfit) return { train: training, test: training, notes: [] };
  if (options.testAll && options.valSplit === undefined) return { train: [], test: training, notes: [] };
  const share = options.valSplit ?? DEFAULT_SPLIT;
  const count = Math.min(Math.max(Math.round(share * training.length), 1), training.length - 1);
  if (count < 1) throw new UserError(`${folder}: one image is too few to train and to test on`);
  const held = new Set(drawByName(training, (index) => images[index]!.name, count, options.seed));
  return {
    train: training.filter((index) => !held.has(index)),
    test: training.filter((index) => held.has(index)),
    notes: [
      `${count} of ${training.length} images, drawn by seed ${options.seed}, are held back to test on` +
      (options.valSplit === undefined ? "; see --val-split" : ""),
    ],
  };
}

function listOf(sets: AnnotatedImages["sets"], list: string, folder: string): readonly number[] {
  const found = sets.get(list);
  if (found) return found;
  const known = sets.size > 0 ? `it has ${[...sets.keys()].sort().join(", ")}` : "it has none";
  throw new UserError(`--split ${list}: ${folder} has no such list or folder of images; ${known}`);
}
