/** What converted weights say of themselves: their network, and what is known of its run. */
import type { StateDict } from "../core/format/state_dict.ts";
import { type KnownNetwork, type KnownRun, runOf } from "./weights_network.ts";

type Metadata = Readonly<Record<string, string>>;

/** Of weights that Strata reads again: all that the run said, but for how far it was. */
export function metadataOf(dict: StateDict, network: KnownNetwork): Metadata {
  return strata(network, runOfNetwork(dict, network));
}

/**
 * Of a model that is given away: no paths. For other programs there are, as JSON, `classes`, the names of the logits, and
 * `mean` and `std` of pixels from 0 to 1, a number for each channel, where the file does not normalise by itself.
 */
export function onnxMetadata(
  dict: StateDict,
  network: KnownNetwork,
  { normalises }: { readonly normalises: boolean },
): Metadata {
  const { classes, dataset, val_resize_size, normalize } = runOfNetwork(dict, network);
  return {
    ...strata(network, { classes, dataset, val_resize_size, normalize }),
    ...classes ? { classes: JSON.stringify(classes) } : {},
    ...normalize && !normalises
      ? { mean: JSON.stringify(normalize.mean), std: JSON.stringify(normalize.std) }
      : {},
  };
}

function strata({ name, options, input }: KnownNetwork, known: object): Metadata {
  const config = { ...known, model: name, model_options: options, shape: input };
  return { "strata.model": name, "strata.config": JSON.stringify(config) };
}

/** Nothing where the weights are of another network than the file says. */
function runOfNetwork(dict: StateDict, { name }: KnownNetwork): Partial<KnownRun> {
  const run = runOf(dict);
  return run?.model === name ? run : {};
}
