/** Networks as golden cases need them; the registry of models is one such map. */
import { type Module, modules } from "../nn/module.ts";
import type { Shape } from "../shape.ts";
import { Missing } from "./case.ts";

export interface NetworkOptions {
  readonly num_classes?: number;
  readonly in_channels?: number;
  /** Height and width. */
  readonly input_size?: readonly [number, number];
}

export interface NetworkEntry {
  create(options?: NetworkOptions): Module;
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
  readonly num_classes: number;
  /** Numbers that come out for one image, where they are not one for each class. */
  readonly outputs?: number;
}

export type Networks = Readonly<Record<string, NetworkEntry>>;

/** A network of the given name, for images `[channels, height, width]`, with `outputs` numbers for an image. */
export function createNetwork(networks: Networks, name: string, input: Shape, outputs: number): Module {
  const entry = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (!entry) throw new Missing(`there is no network ${name}`);
  const [in_channels, height, width] = input as [number, number, number];
  return entry.create({
    // Numbers that are not one for each class follow from the image.
    ...(entry.outputs === undefined ? { num_classes: outputs } : {}),
    in_channels,
    input_size: [height, width],
  });
}

/** Modules without modules of their own: the layers that a summary lists. */
export function leafModules(root: Module): Module[] {
  return [...modules(root)].filter((module) => [...modules(module)].length === 1);
}
