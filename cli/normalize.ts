/** `--mean` and `--std`: how the weights' own training normalised images, where it was in no usual way. */
import type { Normalize } from "../core/data/dataset.ts";
import { UserError } from "../core/errors.ts";
import { realList } from "./arguments.ts";

export const normalizeFlags = {
  mean: realList("of each channel, of images from 0 to 1; the run's, or the data's"),
  std: realList("their standard deviations"),
};

/** What the flags say, or else `usual`. */
export function normalizeOf(
  { mean, std }: { readonly mean?: readonly number[]; readonly std?: readonly number[] },
  usual: Normalize,
  channels: number,
): Normalize {
  if ((mean === undefined) !== (std === undefined)) throw new UserError("--mean and --std go together");
  const chosen = mean && std ? { mean, std } : usual;
  if (chosen.mean.length !== channels || chosen.std.length !== channels) {
    throw new UserError(`--mean and --std need ${channels} numbers, one for a channel`);
  }
  if (chosen.std.some((value) => !(value > 0))) throw new UserError("--std must be above 0");
  return chosen;
}
