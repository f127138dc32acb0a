/** Networks by name, and a user's own by path. */
import { oneLine, UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { Module } from "../core/nn/mod.ts";
import { type AnyModelOptions, type ModelEntry, models } from "./registry.ts";

/**
 * The network that `--model` names: one of the registry, or a user's own, which is a path such as `./my_net.ts`. Paths
 * are relative to `base`, the URL of a folder.
 *
 * A user's module exports a factory, as its default or under the name `create`, or the class itself. It may export
 * `input` (channels, height, width; default `[3, 224, 224]`) and `num_classes` (default 1000).
 *
 * ```ts ignore
 * // my_net.ts
 * import * as nn from "../strata/core/nn/mod.ts";
 * export const input = [3, 32, 32];
 * export default ({ num_classes = 10 } = {}) =>
 *   new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(8, num_classes));
 * ```
 */
export async function findModel(name: string, base: string | URL): Promise<ModelEntry> {
  const known = registered(name);
  if (known) return known;
  if (isPath(name)) return await loadModel(name, base);
  const meant = nearest(name, Object.keys(models));
  throw new UserError(
    `--model ${name}: there is no such network; did you mean ${meant}? A network of your own needs its path: ./${name}.ts`,
  );
}

/**
 * The network that a file names: weights, a checkpoint, a configuration. Only one of the registry: a path is code, and
 * whoever wrote the file is not who runs the command. `file` is what errors call it.
 */
export function modelOfFile(name: string, file: string): ModelEntry {
  const known = registered(name);
  if (known) return known;
  const advice = isPath(name)
    ? `which is code, and code is not taken from a file: give --model ${name} if you trust it`
    : "which there is not: name one with --model";
  throw new UserError(oneLine(`${file}: says that its network is ${name}, ${advice}`));
}

function registered(name: string): ModelEntry | undefined {
  return Object.hasOwn(models, name) ? models[name] : undefined;
}

function isPath(name: string): boolean {
  return /[/\\]|\.[cm]?[jt]s$/.test(name);
}

type Factory = (options?: AnyModelOptions) => unknown;

async function loadModel(path: string, base: string | URL): Promise<ModelEntry> {
  const url = URL.parse(path, base);
  if (url?.protocol !== "file:") {
    throw new UserError(oneLine(`--model ${path}: a network of your own is a file: ./my_net.ts`));
  }
  const exports = await importModule(path, url);
  const factory = factoryOf(exports);
  if (!factory) {
    const found = Object.keys(exports).join(", ") || "nothing";
    throw new UserError(
      `${path} exports ${found} and no factory: add "export default (options) => new MyNet(options)"`,
    );
  }
  const { input = [3, 224, 224], num_classes = 1000 } = exports;
  if (!isInput(input)) {
    throw new UserError(`${path}: input must be [channels, height, width], such as [3, 224, 224]`);
  }
  if (!isExtent(num_classes)) throw new UserError(`${path}: num_classes must be a whole number from 1`);
  return { create: (options) => createChecked(path, factory, options), input, num_classes, source: path };
}

async function importModule(path: string, url: URL): Promise<Record<string, unknown>> {
  try {
    return await import(url.href);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const [reason] = message.split("\n");
    if (code === "ERR_MODULE_NOT_FOUND" && reason!.includes(`"${url.href}"`)) {
      throw new UserError(`--model ${path}: there is no such file`);
    }
    throw new UserError(`${path} cannot be loaded: ${reason}`, { cause: error });
  }
}

function factoryOf(exports: Record<string, unknown>): Factory | undefined {
  const made = exports.default ?? exports.create;
  if (typeof made !== "function") return undefined;
  if (made.prototype instanceof Module) {
    const Class = made as new (options?: AnyModelOptions) => Module;
    return (options) => new Class(options);
  }
  return made as Factory;
}

function createChecked(path: string, factory: Factory, options: AnyModelOptions | undefined): Module {
  let model: unknown;
  try {
    model = factory(options ?? {});
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    throw new UserError(`${path}: the factory fails: ${reason}`, { cause: error });
  }
  if (model instanceof Module) return model;
  const kind = model === null ? "null" : typeof model === "object" ? model!.constructor?.name : typeof model;
  throw new UserError(
    `${path}: the factory returns ${kind}, not a Module; networks extend Module of this copy's core/nn/mod.ts`,
  );
}

function isInput(value: unknown): value is [number, number, number] {
  return Array.isArray(value) && value.length === 3 && value.every(isExtent);
}

function isExtent(value: unknown): value is number {
  return Number.isInteger(value) && value as number > 0;
}
