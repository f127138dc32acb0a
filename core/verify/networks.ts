/** Networks as golden cases need them; the registry of models is one such map. */
import { type Module, namedModules } from "../nn/module.ts";
import { Missing } from "./case.ts";

export interface NetworkEntry {
  create(options?: { num_classes?: number; in_channels?: number }): Module;
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
  readonly num_classes: number;
  /** Numbers that come out for one image, where they are not one for each class. */
  readonly outputs?: number;
}

export type Networks = Readonly<Record<string, NetworkEntry>>;

/** A network of the given name, for so many channels in and numbers out. */
export function createNetwork(networks: Networks, name: string, channels: number, outputs: number): Module {
  const entry = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (!entry) throw new Missing(`there is no network ${name}`);
  return entry.create({
    ...(outputs === (entry.outputs ?? entry.num_classes) ? {} : { num_classes: outputs }),
    ...(channels === entry.input[0] ? {} : { in_channels: channels }),
  });
}

/** Modules without modules of their own: the layers that a summary lists. */
export function leafModules(root: Module): Module[] {
  const modules = [...namedModules(root).keys()];
  return modules.filter((module) => namedModules(module).size === 1);
}
