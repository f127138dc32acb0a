/** Which images of its own data a run was tested on. */
import { testedImage } from "../core/data/batches.ts";
import type { DatasetSplit, ImageSet } from "../core/data/dataset.ts";
import { overfitTo } from "../core/data/overfit.ts";
import { testedOf } from "../core/train/progress.ts";
import type { KnownRun } from "./weights_network.ts";

export interface OwnTest {
  readonly overfit_batches: number;
  readonly limit_batches: number;
  readonly batch_size: number;
  readonly seed: number;
}

/**
 * The own test of a run that was not tested on all test images: on those it had learnt by heart, or on fewer; undefined
 * where it was. Flags that say which images, or how many, go first.
 */
export function ownTestOf(
  run: KnownRun | undefined,
  given: Readonly<Record<string, unknown>>,
): OwnTest | undefined {
  const isChosen = ["split", "val-split", "seed"].some((flag) => given[flag] !== undefined);
  if (!run?.batch_size || isChosen) return undefined;
  const { overfit_batches = 0, batch_size, seed = 0 } = run;
  const limit_batches = given["limit-batches"] === undefined ? run.limit_batches ?? 0 : 0;
  if (overfit_batches + limit_batches === 0) return undefined;
  return { overfit_batches, limit_batches, batch_size, seed };
}

/** The data with these images alone to test on. Training images must be there, where those were tested on. */
export function testedAsRun<Split extends DatasetSplit<ImageSet>>(
  data: Split,
  own: OwnTest,
  note: (line: string) => void,
): Split {
  const { overfit_batches, batch_size, seed } = own;
  if (overfit_batches > 0) {
    const learnt = overfitTo(data, overfit_batches * batch_size, seed) as Split;
    note(`tests on the ${learnt.test.count} images that the run learnt by heart (--overfit-batches)`);
    return learnt;
  }
  const { test } = data;
  const tested = testedOf({ data, ...own });
  note(`tests on ${tested} of ${test.count} images, as the run did; --limit-batches 0 on all`);
  const places = Uint32Array.from({ length: tested }, (_, place) => testedImage(test, place, tested));
  return { ...data, test: test.pick(places) };
}
