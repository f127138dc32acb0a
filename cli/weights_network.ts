/** The network that a file's weights are of: as flags say, or as the file does. */
import { cifar10Normalize } from "../core/data/cifar10.ts";
import type { Normalize } from "../core/data/dataset.ts";
import { digitsNormalize } from "../core/data/digits.ts";
import { mnistNormalize } from "../core/data/mnist.ts";
import { UserError } from "../core/errors.ts";
import type { StateDict } from "../core/format/state_dict.ts";
import { type Module, stateDict } from "../core/nn/mod.ts";
import type { AnyModelOptions } from "../models/registry.ts";
import type { Parsed } from "./arguments.ts";
import { modelEntry, type modelFlags, ownOptions } from "./model.ts";
import type { RunConfig } from "./resume.ts";

export interface KnownNetwork {
  readonly name: string;
  readonly model: Module;
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
}

/** What data sets that have a name are like, for runs of old versions, which do not say it. */
const KNOWN: Readonly<Record<string, { readonly side: number; readonly normalize: Normalize }>> = {
  digits: { side: 32, normalize: digitsNormalize },
  cifar10: { side: 32, normalize: cifar10Normalize },
  mnist: { side: 28, normalize: mnistNormalize },
};

/**
 * Makes the network of a file. Where no flag says so, the number of classes and of channels are those that make the
 * weights fit. Undefined where neither flags nor file name a network.
 */
export async function networkOf(
  dict: StateDict,
  given: Parsed<typeof modelFlags>,
): Promise<KnownNetwork | undefined> {
  const run = runOf(dict);
  const name = given.model ?? run?.model;
  if (name === undefined) return undefined;
  const entry = await modelEntry(name);
  const options = {
    ...(given.model === undefined ? run?.model_options : {}),
    ...ownOptions(name, entry, given),
  };
  const [channels, height, width] = given.input ?? (run && inputOf(run)) ?? entry.input;
  const create = (more: AnyModelOptions) =>
    entry.create({ ...options, input_size: [height!, width!], ...more });
  const fitting = (option: "num_classes" | "in_channels") => solve(dict, (n) => create({ [option]: n }));
  const num_classes = given["num-classes"] ?? fitting("num_classes") ?? entry.num_classes;
  const in_channels = given["in-channels"] ?? given.input?.[0] ?? fitting("in_channels") ?? channels!;
  return { name, model: create({ num_classes, in_channels }), input: [in_channels, height!, width!] };
}

/** What a checkpoint says of its run; older ones do not say all. */
export type KnownRun = Partial<RunConfig> & { readonly model: string };

/** Undefined for weights that are of no run of Strata. */
export function runOf({ file, metadata }: StateDict): KnownRun | undefined {
  const { "strata.model": model, "strata.config": config } = metadata;
  if (model === undefined) return undefined;
  try {
    const said = JSON.parse(config ?? "{}") as Partial<RunConfig>;
    const usual = KNOWN[said.dataset ?? ""]?.normalize;
    const known: KnownRun = { ...usual ? { normalize: usual } : {}, ...said, model };
    const { classes = [], shape, normalize } = known;
    const whole = classes.every((name) => typeof name === "string") && (shape?.length ?? 3) === 3 &&
      [...shape ?? [], ...normalize?.mean ?? [], ...normalize?.std ?? []].every(Number.isFinite);
    if (whole) return known;
  } catch {
    // Told below.
  }
  throw new UserError(`${file}: its metadata is damaged; name the network with --model`);
}

/** Channels, height and width of a run's images, as far as it says. */
function inputOf({ shape, input = [], dataset = "" }: KnownRun): readonly number[] | undefined {
  if (shape) return shape;
  if (input.length === 3) return input;
  const side = KNOWN[dataset]?.side;
  return side === undefined ? undefined : [3, side, side];
}

/**
 * The number with which a tensor of the network has the file's shape: an extent that grows by the same step with each one
 * more says which. Undefined where no tensor of the file does.
 */
function solve(dict: StateDict, create: (n: number) => Module): number | undefined {
  let few, more;
  try {
    [few, more] = [stateDict(create(4)), stateDict(create(5))];
  } catch {
    return undefined; // A network that does not take just any number.
  }
  for (const [name, { shape }] of few) {
    const found = dict.get(name)?.shape;
    const grown = more.get(name)?.shape;
    if (!found || !grown || found.length !== shape.length) continue;
    for (let axis = 0; axis < shape.length; axis++) {
      const step = grown[axis]! - shape[axis]!;
      const n = 4 + (found[axis]! - shape[axis]!) / step;
      if (step > 0 && Number.isInteger(n) && n > 0) return n;
    }
  }
  return undefined;
}
