/** Weights that a command was named, whatever they are of. */
import { type Backend, OutOfMemory, type Session } from "../core/backend/backend.ts";
import { UserError } from "../core/errors.ts";
import { isDetectionModel } from "../core/detect/model.ts";
import type { StateDict } from "../core/format/state_dict.ts";
import { trace } from "../core/nn/trace.ts";
import { parseClassNames } from "../core/predict/class_names.ts";
import { usualNormalize } from "../core/predict/preparation.ts";
import type { BatchShape } from "../core/train/graphs.ts";
import { readText } from "../host/files.ts";
import { findWeights } from "../host/run_folder.ts";
import { readStateDict } from "../host/weights.ts";
import type { Parsed } from "./arguments.ts";
import { createBackend, type DeviceFlags } from "./backend.ts";
import type { modelFlags } from "./model.ts";
import { type Kind, type normaliseFlags, normaliseOf } from "./settings/weights.ts";
import { type KnownNetwork, type KnownRun, networkOf, runOf } from "./weights_network.ts";

export interface Weights {
  readonly dict: StateDict;
  /** What the file says of the run that it is of, if it is of one. */
  readonly run: KnownRun | undefined;
  readonly network: KnownNetwork;
  /** How many classes the network scores. */
  readonly num_classes: number;
}

/** Reads a file of any format, or the best weights of a run's folder. Throws where they are of no such network. */
export async function readWeights(
  path: string,
  given: Parsed<typeof modelFlags>,
  wanted?: Kind,
): Promise<Weights> {
  const dict = await readStateDict(await findWeights(path));
  const network = await networkOf(dict, given);
  if (!network) {
    throw new UserError(
      `${dict.file}: it does not say which network its weights are of: name it with --model`,
    );
  }
  const { name, model, input } = network;
  const detects = isDetectionModel(model);
  if (wanted === "classifier" && detects) {
    throw new UserError(
      `${dict.file}: ${name} is no classifier: its answers are boxes, not classes; see deno task detect`,
    );
  }
  if (wanted === "detector" && !detects) {
    throw new UserError(
      `${dict.file}: ${name} is no detector: its answers are classes, not boxes; see deno task predict`,
    );
  }
  const answer = () => trace(model, [1, ...input], { training: false }).outputs.get("y")!.shape[1]!;
  return { dict, network, run: runOf(dict), num_classes: detects ? model.map.num_classes : answer() };
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

/** Batches of images as the network takes them, normalised as flags say, as in the run, or as ImageNet's. */
export function imagesFor(
  { run, network }: Weights,
  batch: number,
  given: Parsed<typeof normaliseFlags>,
): BatchShape {
  const [channels, height, width] = network.input;
  return {
    batch,
    channels,
    height,
    width,
    ...normaliseOf(given, channels, usualNormalize(network.input, run)),
  };
}

/** Starts the backend, with the ways to compute that the run was trained with. */
export async function startBackend({ run }: Weights, given: DeviceFlags): Promise<Backend> {
  const choices = new Map(Object.entries(run?.methods ?? {}));
  const exact = given.exact ?? run?.exact ?? false;
  return await createBackend({ ...given, exact }, { choices });
}

/** What `plan()` makes once its session is ready; too little memory is told as a matter of the batch. */
export async function withinMemory<Result extends Session | { readonly session: Session }>(
  batch: number,
  plan: () => Result,
): Promise<Result> {
  try {
    const planned = plan();
    const session: Session = "session" in planned ? planned.session : planned;
    await session.ready;
    return planned;
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    throw new UserError(`--batch-size ${batch}: it ${error.message}; use a smaller one`);
  }
}
