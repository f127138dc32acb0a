/** WEIGHTS on the command line: a run's folder, a checkpoint, or any file of weights. */
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { StateDict } from "../core/format/state_dict.ts";
import { averageName } from "../core/train/step.ts";
import { BEST, LAST } from "../host/run_folder.ts";
import { statIfThere } from "../host/files.ts";
import { readStateDict } from "../host/weights.ts";
import type { RunConfig } from "./resume.ts";

export interface Weights {
  readonly path: string;
  readonly dict: StateDict;
  /** Of the run that they are of; undefined for a file of no run. */
  readonly config: Partial<RunConfig> | undefined;
}

/** Of a folder, the best weights. Of a checkpoint with moving averages, these: they are what the run is judged by. */
export async function readWeights(given: string): Promise<Weights> {
  const path = await fileOf(given);
  const dict = await readStateDict(path);
  return { path, dict: judged(dict), config: configOf(dict) };
}

async function fileOf(given: string): Promise<string> {
  const info = await statIfThere(given);
  if (!info) throw new UserError(`${given}: there is no such file or folder of weights`);
  if (!info.isDirectory) return given;
  for (const name of [BEST, LAST]) if (await statIfThere(join(given, name))) return join(given, name);
  throw new UserError(`${given}: there is neither ${BEST} nor ${LAST} in this folder`);
}

function judged(dict: StateDict): StateDict {
  const tensors = [...dict].map(([name, tensor]) => [name, dict.get(averageName(name)) ?? tensor] as const);
  return new StateDict(dict.file, tensors, dict);
}

function configOf({ file, metadata }: StateDict): Partial<RunConfig> | undefined {
  const config = metadata["strata.config"];
  if (config === undefined) return undefined;
  try {
    return JSON.parse(config);
  } catch {
    throw new UserError(`${file}: its metadata is damaged; use another checkpoint`);
  }
}
