/** Which network a command is about: its flags, and the network that they describe. */
import { UserError } from "../core/errors.ts";
import type { Module } from "../core/nn/mod.ts";
import { models } from "../models/registry.ts";
import { type Flag, oneOf, type Parsed, whole } from "./arguments.ts";

/** `3x256x256`, as a list. Takes × as well as x. */
export function shape(help: string, rank?: number): Flag<readonly number[]> {
  return {
    value: rank === 3 ? "CxHxW" : "N[xN…]",
    help,
    parse(given, flag) {
      const extents = given.split(/[x×]/).map((extent) => /^\d+$/.test(extent) ? Number(extent) : 0);
      if (extents.every((extent) => extent > 0) && (rank === undefined || extents.length === rank)) {
        return extents;
      }
      const example = rank === 3
        ? "channels, height and width, such as 3x224x224"
        : "extents, such as 64x7x7";
      throw new UserError(`${flag} must be ${example}, not "${given}"`);
    },
  };
}

export const modelFlags = {
  model: oneOf(Object.keys(models), "the network; default resnet50"),
  input: shape("the image; default what the network is made for", 3),
  "num-classes": whole("default what the network is made for", { min: 1 }),
  "in-channels": whole("default the channels of --input", { min: 1 }),
};

export interface ChosenModel {
  readonly name: string;
  readonly model: Module;
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
}

export function chooseModel(given: Parsed<typeof modelFlags>): ChosenModel {
  const name = given.model ?? "resnet50";
  const entry = models[name]!;
  const [channels, height, width] = (given.input ?? entry.input) as [number, number, number];
  const in_channels = given["in-channels"] ?? channels;
  if (given.input && in_channels !== channels) {
    throw new UserError(`--in-channels ${in_channels} does not go with the ${channels} channels of --input`);
  }
  const model = entry.create({
    num_classes: given["num-classes"] ?? entry.num_classes,
    in_channels,
    input_size: [height, width],
  });
  return { name, model, input: [in_channels, height, width] };
}
