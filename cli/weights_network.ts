/** The network that a file's weights are of: as flags say, or as the file does. */
import type { StateDict } from "../core/format/state_dict.ts";
import * as known from "../models/weights_network.ts";
import type { Parsed } from "./arguments.ts";
import { modelEntry, type modelFlags, ownOptions } from "./model.ts";
import type { RunConfig } from "./resume.ts";

export type { KnownNetwork } from "../models/weights_network.ts";

/**
 * Makes the network of a file. Where no flag says so, the number of classes and of channels are those that make the
 * weights fit. Undefined where neither flags nor file name a network.
 */
export async function networkOf(
  dict: StateDict,
  given: Parsed<typeof modelFlags>,
): Promise<known.KnownNetwork | undefined> {
  const run = runOf(dict);
  const name = given.model ?? run?.model;
  if (name === undefined) return undefined;
  const entry = await modelEntry(name, given, dict.file);
  return known.fitNetwork(dict, [name, entry], {
    options: {
      ...(name === run?.model ? run?.model_options : {}),
      ...ownOptions(name, entry, given),
    },
    input: given.input,
    num_classes: given["num-classes"],
    in_channels: given["in-channels"],
  });
}

/** What a checkpoint says of its run, which is the whole of its configuration. */
export type KnownRun = known.KnownRun & Partial<RunConfig>;

/** Undefined for weights that are of no run of Strata. */
export function runOf(dict: StateDict): KnownRun | undefined {
  return known.runOf(dict);
}
