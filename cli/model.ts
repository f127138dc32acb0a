/** Which network a command is about: its flags, and the network that they describe. */
import { pathToFileURL } from "node:url";
import { UserError } from "../core/errors.ts";
import { isDetectionModel } from "../core/detect/model.ts";
import type { Module } from "../core/nn/mod.ts";
import type { MapShape } from "../core/ops/yolo_loss.ts";
import { findModel, modelOfFile } from "../models/load.ts";
import { type AnyModelOptions, type ModelEntry, type ModelFlag, models } from "../models/registry.ts";
import { type Flag, oneOf, type Parsed, switchFlag, text, whole } from "./arguments.ts";

/** Extents such as `3x256x256`; × will do as well. */
export function extents(help: string, example: string, rank?: number): Flag<readonly number[]> {
  return {
    value: example,
    help,
    parse(given, flag) {
      const numbers = given.split(/[x×,]/).map((extent) => /^\d+$/.test(extent) ? Number(extent) : 0);
      if (numbers.every((extent) => extent > 0) && (rank === undefined || numbers.length === rank)) {
        return numbers;
      }
      throw new UserError(
        `${flag} must be ${rank ?? "some"} whole numbers from 1, as in ${example}, not "${given}"`,
      );
    },
  };
}

/** Flags that some networks have, by name. */
const ownFlags: ReadonlyMap<string, ModelFlag> = new Map(
  Object.values(models).flatMap(({ flags }) => Object.entries(flags ?? {})),
);

/** What one of them sets. */
function toFlag(name: string, flag: ModelFlag): Flag<AnyModelOptions> {
  const owners = Object.keys(models).filter((model) => models[model]!.flags?.[name]);
  const help = `${flag.help} (${owners.length > 1 ? `${owners[0]} and its like` : owners[0]})`;
  const set = <T>(
    { value, parse }: Flag<T>,
    toOptions: (given: T) => AnyModelOptions,
  ): Flag<AnyModelOptions> => ({
    ...value === undefined ? {} : { value },
    help,
    parse: (given, flag) => toOptions(parse(given, flag)),
  });
  if (flag.kind === "switch") return set(switchFlag(help), () => flag.sets);
  if (flag.kind === "whole") return set(whole(help, { min: 1 }), (given) => ({ [flag.option]: given }));
  return set(oneOf(flag.choices, help), (given) => ({ [flag.option]: given }) as AnyModelOptions);
}

/** The networks' own flags. */
export const optionFlags = Object.fromEntries(
  [...ownFlags].map(([name, flag]) => [name, toFlag(name, flag)]),
);

/** What is said of `--model` where it names a network to make. */
export const MODEL = "see deno task models, or a file of yours: ./my_net.ts";

/** Flags of every command that is about a network. */
export const modelFlags = {
  model: text("NAME", `${MODEL}; default resnet50`),
  input: extents("the image; default what the network is made for", "3x224x224", 3),
  "num-classes": whole("default what the network is made for", { min: 1 }),
  "in-channels": whole("default the channels of --input", { min: 1 }),
  ...optionFlags,
};

export interface ChosenModel {
  readonly name: string;
  readonly model: Module;
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
}

type ModelFlags = Parsed<typeof modelFlags>;

/** What the network's own flags set. Throws where a flag belongs to another network. */
export function ownOptions(
  name: string,
  entry: ModelEntry,
  given: Readonly<Record<string, unknown>>,
): AnyModelOptions {
  const strange = [...ownFlags.keys()].find((flag) => given[flag] !== undefined && !entry.flags?.[flag]);
  if (strange !== undefined) throw new UserError(`--${strange} is not for ${name}`);
  return givenOptions(given);
}

/** The same, whatever the network is. */
export function givenOptions(given: Readonly<Record<string, unknown>>): AnyModelOptions {
  return Object.assign({}, ...[...ownFlags.keys()].map((flag) => given[flag]));
}

/** Throws where there is an option that the network does not have: a configuration may say anything. */
export function checkOptions(name: string, entry: ModelEntry, options: AnyModelOptions): void {
  const known = Object.values(entry.flags ?? {}).flatMap((flag) =>
    flag.kind === "switch" ? Object.keys(flag.sets) : [flag.option]
  );
  const strange = Object.keys(options).find((option) => !known.includes(option));
  if (strange === undefined) return;
  const has = known.length > 0 ? `it has ${known.join(", ")}` : "it has none";
  throw new UserError(`model_options: ${strange} is no option of ${name}; ${has}`);
}

/**
 * The network `name`, which `--model` says or a file does: weights, a run that is resumed, a configuration. Code of the
 * user's own is taken from the command line only.
 */
export async function modelEntry(
  name: string,
  given: { readonly model?: string },
  file = "the configuration",
): Promise<ModelEntry> {
  return name === given.model ? await ownEntry(name) : modelOfFile(name, file);
}

/** A network of the registry, or of a file, whose path is relative to the working folder. */
function ownEntry(name: string): Promise<ModelEntry> {
  return findModel(name, pathToFileURL(`${Deno.cwd()}/`));
}

/** Makes the network that the flags describe. */
export async function chooseModel(given: ModelFlags): Promise<ChosenModel> {
  const name = given.model ?? "resnet50";
  const entry = await ownEntry(name);
  const options = ownOptions(name, entry, given);
  const [channels, height, width] = (given.input ?? entry.input) as [number, number, number];
  const in_channels = given["in-channels"] ?? channels;
  if (given.input && in_channels !== channels) {
    throw new UserError(`--in-channels ${in_channels} does not go with the ${channels} channels of --input`);
  }
  const num_classes = given["num-classes"];
  const model = entry.create({
    ...options,
    ...num_classes === undefined ? {} : { num_classes }, // A network of one's own has its own default.
    in_channels,
    input_size: [height, width],
  });
  return { name, model, input: [in_channels, height, width] };
}

/** The map that a detector answers with; undefined for a classifier. Of the classes it knows nothing yet. */
export function mapOf(
  entry: ModelEntry,
  options: AnyModelOptions,
  [channels, height, width]: readonly number[] = entry.input,
): MapShape | undefined {
  const model = entry.create({ ...options, in_channels: channels!, input_size: [height!, width!] });
  return isDetectionModel(model) ? model.map : undefined;
}

/** Throws where the network and the data are not for each other. */
export function checkKind(
  { model, dataset }: { readonly model: string; readonly dataset: string },
  isDetector: boolean,
  hasData: boolean,
): void {
  if (isDetector && dataset !== "boxes") {
    throw new UserError(
      `--dataset ${dataset}: ${model} finds boxes; it learns from a folder of images with boxes, named by --data`,
    );
  }
  if (!isDetector && dataset === "boxes") {
    throw new UserError(
      `--dataset boxes: ${model} is a classifier; boxes are for detectors, such as yolov1`,
    );
  }
  if (isDetector && !hasData) {
    throw new UserError(
      `${model} needs --data, a folder of images with boxes (PASCAL VOC's, or YOLO's), or Darknet's .data file`,
    );
  }
}

/** The network's name without the folders of a file of one's own. */
export function shortName(model: string): string {
  return model.replace(/^.*[\\/]/, "").replace(/\.[jt]s$/, "");
}
