/** The network that weights are of: what the file says of its run, and which numbers of classes and channels fit. */
import { cifar10Normalize } from "../core/data/cifar10.ts";
import type { Normalize } from "../core/data/dataset.ts";
import { digitsNormalize } from "../core/data/digits.ts";
import { mnistNormalize } from "../core/data/mnist.ts";
import { UserError } from "../core/errors.ts";
import type { StateDict } from "../core/format/state_dict.ts";
import { type Module, stateDict } from "../core/nn/mod.ts";
import type { RunImages } from "../core/predict/preparation.ts";
import type { AnyModelOptions, ModelEntry } from "./registry.ts";

export interface KnownNetwork {
  readonly name: string;
  readonly model: Module;
  /** What it was made with, but for sizes. */
  readonly options: AnyModelOptions;
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
}

/** What a checkpoint says of its run; older ones do not say all. */
export interface KnownRun extends RunImages {
  readonly model: string;
  readonly model_options?: AnyModelOptions;
  readonly classes?: readonly string[];
  /** Channels, height, width of the images; older runs have `input` where it was asked for. */
  readonly shape?: readonly [number, number, number];
  readonly input?: readonly number[];
}

/** What is known of a network beforehand; the rest is what fits the weights. */
export interface NetworkOptions {
  readonly options?: AnyModelOptions | undefined;
  /** Channels, height, width. */
  readonly input?: readonly number[] | undefined;
  readonly num_classes?: number | undefined;
  readonly in_channels?: number | undefined;
}

/** What data sets that have a name are like, for runs of old versions, which do not say it. */
const KNOWN: Readonly<Record<string, { readonly side: number; readonly normalize: Normalize }>> = {
  digits: { side: 32, normalize: digitsNormalize },
  cifar10: { side: 32, normalize: cifar10Normalize },
  mnist: { side: 32, normalize: mnistNormalize },
};

/** Undefined for weights that are of no run of Strata. */
export function runOf({ file, metadata }: StateDict): KnownRun | undefined {
  const { "strata.model": model, "strata.config": config } = metadata;
  if (model === undefined) return undefined;
  try {
    const said = JSON.parse(config ?? "{}") as Partial<KnownRun>;
    const usual = KNOWN[said.dataset ?? ""]?.normalize;
    const known: KnownRun = { ...usual ? { normalize: usual } : {}, ...said, model };
    const { classes = [], shape, normalize } = known;
    const whole = classes.every((name) => typeof name === "string") && (shape?.length ?? 3) === 3 &&
      [...shape ?? [], ...normalize?.mean ?? [], ...normalize?.std ?? []].every(Number.isFinite);
    if (whole) return known;
  } catch {
    // Told below.
  }
  throw new UserError(`${file}: its metadata is damaged; get the file again`);
}

/** Makes the network `name` for a file's weights, with as many classes and channels as make them fit. */
export function fitNetwork(
  dict: StateDict,
  [name, entry]: readonly [string, ModelEntry],
  { options = {}, input, num_classes, in_channels }: NetworkOptions = {},
): KnownNetwork {
  const run = runOf(dict);
  const [channels, height, width] = input ?? (run && inputOf(run)) ?? entry.input;
  const create = (more: AnyModelOptions) =>
    entry.create({ ...options, input_size: [height!, width!], ...more });
  const fitting = (option: "num_classes" | "in_channels") => solve(dict, (n) => create({ [option]: n }));
  const classes = num_classes ?? fitting("num_classes") ?? entry.num_classes;
  const depth = in_channels ?? input?.[0] ?? fitting("in_channels") ?? channels!;
  return {
    name,
    model: create({ num_classes: classes, in_channels: depth }),
    options,
    input: [depth, height!, width!],
  };
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
