/** Flags of commands that use finished weights: what they are of, and how images are prepared for them. */
import type { Normalize } from "../../core/data/dataset.ts";
import { UserError } from "../../core/errors.ts";
import { type ModelEntry, models } from "../../models/registry.ts";
import { type Flag, text, whole } from "../arguments.ts";
import { optionFlags } from "../model.ts";

/** Numbers or fractions, one for all channels or one each. */
function perChannel(help: string, isDivisor: boolean): Flag<readonly number[]> {
  return {
    value: "X[,X,X]",
    help,
    parse(given, flag) {
      const numbers = given.split(",").map(fraction);
      const fits = numbers.every((number) => Number.isFinite(number) && (!isDivisor || number > 0));
      if (fits && (numbers.length === 1 || numbers.length === 3)) return numbers;
      const kind = isDivisor ? "above 0 " : "";
      throw new UserError(`${flag} must be one number ${kind}or three, as in 0.5 or 1/255, not "${given}"`);
    },
  };
}

function fraction(text: string): number {
  const parts = text.split("/").map((part) => part.trim() === "" ? NaN : Number(part));
  return parts.length <= 2 ? parts[0]! / (parts[1] ?? 1) : NaN;
}

/** What a network answers with. */
export type Kind = "classifier" | "detector";

/** Flags of weights that are of such a network, with those that only such networks have. */
export function weightsFlagsFor(...kinds: readonly Kind[]) {
  const kindOf = ({ outputs }: ModelEntry): Kind => outputs === undefined ? "classifier" : "detector";
  const own = Object.entries(optionFlags).filter(([name]) =>
    Object.values(models).some((entry) => entry.flags?.[name] && kinds.includes(kindOf(entry)))
  );
  return {
    model: text("NAME", "the network, where the file does not say which"),
    "num-classes": whole("default what fits the weights", { min: 1 }),
    ...Object.fromEntries(own),
    classes: text("FILE", "names of the classes, one a line; default the run's"),
  };
}

export const normaliseFlags = {
  mean: perChannel("taken off each channel of the 0 … 1 image; default the run's", false),
  std: perChannel("divides it; 0 and 1/255 leave pixels 0 … 255", true),
};

/** What flags say, or else `usual`, for so many channels. */
export function normaliseOf(
  { mean, std }: { readonly mean?: readonly number[]; readonly std?: readonly number[] },
  channels: number,
  usual: Normalize,
): Normalize {
  if ((mean === undefined) !== (std === undefined)) throw new UserError("--mean and --std go together");
  if (!mean || !std) return usual;
  const spread = (values: readonly number[], flag: string): readonly number[] => {
    if (values.length === 1) return Array(channels).fill(values[0]);
    if (values.length === channels) return values;
    throw new UserError(`${flag} has ${values.length} numbers, the images ${channels} channel`);
  };
  return { mean: spread(mean, "--mean"), std: spread(std, "--std") };
}
