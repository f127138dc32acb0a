/** Weights that a command was named, whatever they are of. */
import { type Backend, OutOfMemory, type Session } from "../core/backend/backend.ts";
import type { Methods } from "../core/backend/wasm/autotune.ts";
import { choiceOf } from "../core/backend/wasm/lower/method.ts";
import { UserError } from "../core/errors.ts";
import type { StateDict } from "../core/format/state_dict.ts";
import { trace } from "../core/nn/trace.ts";
import { parseClassNames } from "../core/predict/class_names.ts";
import { readText } from "../host/files.ts";
import { findWeights } from "../host/run_folder.ts";
import { readStateDict } from "../host/weights.ts";
import { models } from "../models/registry.ts";
import type { Parsed } from "./arguments.ts";
import { createBackend, type DeviceFlags } from "./backend.ts";
import type { modelFlags } from "./model.ts";
import { type KnownNetwork, type KnownRun, networkOf, runOf } from "./weights_network.ts";

export interface Weights {
  readonly dict: StateDict;
  /** What the file says of the run that it is of, if it is of one. */
  readonly run: KnownRun | undefined;
  readonly network: KnownNetwork;
  /** How many classes the network scores. */
  readonly num_classes: number;
}

/** Reads a file of any format, or the best weights of a run's folder. */
export async function readWeights(path: string, given: Parsed<typeof modelFlags>): Promise<Weights> {
  const dict = await readStateDict(await findWeights(path));
  const network = await networkOf(dict, given);
  if (!network) {
    throw new UserError(
      `${dict.file}: it does not say which network its weights are of: name it with --model`,
    );
  }
  const { name, model, input } = network;
  if (models[name]?.outputs !== undefined) {
    throw new UserError(`${dict.file}: ${name} is no classifier: its answers are boxes, not classes`);
  }
  const scores = trace(model, [1, ...input], { training: false }).outputs.get("y")!;
  return { dict, network, run: runOf(dict), num_classes: scores.shape[1]! };
}

/** What to do about weights that do not fit. */
export const RIGHT_MODEL = "name the network that they are of with --model";

/** The classes of the weights' scores, as far as anybody says. */
export async function classNames(
  file: string | undefined,
  { run, num_classes, dict }: Weights,
): Promise<readonly string[] | undefined> {
  if (file === undefined) return run?.classes;
  const names = parseClassNames(await readText(file));
  if (names.length === num_classes) return names;
  throw new UserError(
    `--classes ${file}: ${names.length} lines, and ${dict.file} has ${num_classes} classes`,
  );
}

/** Starts the backend, with the ways to compute that the run was trained with. */
export async function startBackend({ run }: Weights, given: DeviceFlags): Promise<Backend> {
  const methods: Methods = new Map(Object.entries(run?.methods ?? {}));
  const exact = given.exact ?? run?.exact ?? false;
  return await createBackend({ ...given, exact }, { method: choiceOf(methods) });
}

/** What `plan()` makes once its session is ready; too little memory is told as a matter of the batch. */
export async function withinMemory<Result>(
  batch: number,
  plan: () => Result,
  sessionOf: (planned: Result) => Session,
): Promise<Result> {
  try {
    const planned = plan();
    await sessionOf(planned).ready;
    return planned;
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    throw new UserError(`--batch-size ${batch}: it ${error.message}; use a smaller one`);
  }
}
