/** `--resume`: what a checkpoint is, and whether a run can go on from it. */
import { UserError } from "../core/errors.ts";
import type { Normalize } from "../core/data/dataset.ts";
import type { Fingerprint } from "../core/data/fingerprint.ts";
import { parseStateDict } from "../core/format/read_state_dict.ts";
import { readSafetensors, type Safetensors } from "../core/format/safetensors.ts";
import type { StateDict } from "../core/format/state_dict.ts";
import { endOf } from "../core/train/progress.ts";
import { type CheckpointHeader, readHeader } from "../core/train/checkpoint.ts";
import { datasetIn } from "../host/datasets.ts";
import { readBytes } from "../host/files.ts";
import type { KnownRun } from "../host/run_folder.ts";
import { resolve } from "node:path";
import { checkRunConfig } from "./settings/config_file.ts";
import { limitsOf } from "./settings/limits.ts";
import { refusedChange, type Settings } from "./settings/settings.ts";

/** What config.json and checkpoints keep of a run: its settings, and which images it saw. */
export interface RunConfig extends Settings {
  readonly images: Fingerprint;
  /** What the images are, for whoever uses the weights; runs of old versions have none of these. */
  readonly classes?: readonly string[];
  /** Channels, height, width. */
  readonly shape?: readonly [number, number, number];
  readonly normalize?: Normalize;
  /** How the run computes its convolutions and products, where --autotune has chosen; the same again gives the same bits. */
  readonly methods: Readonly<Record<string, string>>;
}

export interface Resumed {
  readonly path: string;
  /** What it is judged by. */
  readonly weights: StateDict;
  /** All that it holds; undefined, as the rest, for weights of any format that are of no run of Strata. */
  readonly states: Safetensors | undefined;
  readonly header: CheckpointHeader | undefined;
  readonly config: RunConfig | undefined;
}

/** Reads a run's checkpoint, or weights of no run; `findCheckpoint` says which file `--resume` means. */
export async function readCheckpoint(path: string): Promise<Resumed> {
  const bytes = await readBytes(path);
  const weights = await parseStateDict(bytes, path);
  const header = readRunHeader(weights.metadata, path);
  const states = header && readSafetensors(bytes, path);
  return { path, weights, states, header, config: header?.config };
}

interface RunHeader extends CheckpointHeader {
  readonly config: RunConfig;
}

/** Undefined for weights that are of no run. */
function readRunHeader(metadata: Readonly<Record<string, string>>, file: string): RunHeader | undefined {
  const header = readHeader(metadata, file);
  if (header) checkRunConfig(header.config, file);
  return header as RunHeader | undefined;
}

/** Whether a run can go on with all that is given, and is not done yet then. */
export function resumable({ folder, metadata }: KnownRun, given: Partial<Settings>): boolean {
  let header: RunHeader | undefined;
  try {
    header = readRunHeader(metadata, folder);
  } catch {
    return false; // Damaged: an older one may still do.
  }
  if (!header) return false;
  const { config } = header;
  const hasData = resolve(given.data ?? config.data) === resolve(config.data);
  const own: Readonly<Record<string, unknown>> = { ...config.model_options };
  const hasOptions = Object.entries(given.model_options ?? {}).every(([name, value]) => own[name] === value);
  return hasData && hasOptions && refusedChange(given, config) === undefined &&
    endOf(header.progress, limitsOf({ ...config, ...given })) === undefined;
}

/** Throws where weights of no run can't be tested with what the flags say. */
export function checkPlainWeights(
  { path, header }: Resumed,
  given: { readonly model?: string; readonly dataset?: string; readonly "evaluate-only"?: boolean },
): void {
  if (header) return;
  if (!given["evaluate-only"]) {
    throw new UserError(
      `${path}: not a checkpoint of a Strata run, so it cannot be gone on with; --evaluate-only tests its weights`,
    );
  }
  if (!given.model || !given.dataset) {
    throw new UserError(`${path}: it does not say what its weights are of: name --model and --dataset`);
  }
}

/** Throws where the run's data set would be downloaded to where images of one's own lie. */
export async function checkFolder({ path, config }: Resumed, data: string | undefined): Promise<void> {
  if (!config || data === undefined || await datasetIn(data, config.dataset) === config.dataset) return;
  throw new UserError(
    `--data ${data}: has folders of images, not the run's ${config.dataset}; ` +
      `to test its weights on them: deno task evaluate ${path} --data ${data}`,
  );
}

/** Throws where the data set is another than the run's, which then could not go on as if nothing had happened. */
export function checkImages(
  before: Fingerprint | undefined,
  now: Fingerprint,
  { dataset, data }: Settings,
): void {
  const same = before?.train === now.train && before.test === now.test && before.hash === now.hash;
  if (same) return;
  const counts = ({ train, test }: Fingerprint) => `${train} training and ${test} test images`;
  const difference = !before || counts(before) === counts(now)
    ? "has other images than"
    : `has ${counts(now)}, not the ${counts(before)} of`;
  throw new UserError(
    `--data ${data}: ${dataset} ${difference} the run to be resumed; name the run's own data, or start a new run`,
  );
}
