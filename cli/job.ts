/** What `train` is asked for, in full, before any data is read. */
import { dirname, join, resolve } from "node:path";
import { UserError } from "../core/errors.ts";
import {
  checkWritable,
  findCheckpoint,
  findRuns,
  findWeights,
  hasCheckpoint,
  refuseOldRun,
} from "../host/run_folder.ts";
import { lockRun } from "../host/run_lock.ts";
import type { ModelEntry } from "../models/registry.ts";
import type { Parsed } from "./arguments.ts";
import { workersFor } from "./backend.ts";
import { checkKind, checkOptions, givenOptions, mapOf, modelEntry, ownOptions, shortName } from "./model.ts";
import { type Mode, modeOf, tellOfIdle } from "./mode.ts";
import { datasetOf } from "./named_data.ts";
import { recipeFile } from "./recipes.ts";
import { checkFolder, checkPlainWeights, readCheckpoint, resumable, type Resumed } from "./resume.ts";
import { type Config, readConfig } from "./settings/config_file.ts";
import { withEarlyStop } from "./settings/limits.ts";
import { shortWarmup, withoutReplaced } from "./settings/schedule.ts";
import {
  changeSettings,
  givenSettings,
  refusedChange,
  resolveSettings,
  type SettingFlags,
  settingOf,
  type Settings,
} from "./settings/settings.ts";
import type { trainFlags } from "./train_flags.ts";

export interface Job {
  readonly mode: Mode;
  readonly settings: Settings;
  readonly entry: ModelEntry;
  /** Cells in a row of a detector's answer. */
  readonly split_size: number | undefined;
  /** The run to go on with, or the weights to test. */
  readonly resumed: Resumed | undefined;
  readonly autotune: boolean;
  /** The run's folder, and whether it is another than the one that is resumed. */
  readonly output: string;
  readonly isNew: boolean;
  /** Whether it is the user's choice; else it is the first of that name, with -2, -3, …, that is new. */
  readonly isNamed: boolean;
  readonly printEvery: number | undefined;
  /** Whether the folder gets pictures. */
  readonly pictures: boolean;
  /** Threads that decode images. */
  readonly workers: number;
  /** The port of the live page, 0 for a free one; undefined for no page. */
  readonly dashboard: number | undefined;
}

type Given = Parsed<typeof trainFlags>;

/** The folder that runs are in where nothing else is said. */
const RUNS = "runs";

/** `held` gets the lock of a run that is gone on with, from before its checkpoint is read. */
export async function understand(given: Given, held: DisposableStack): Promise<Job> {
  const mode = modeOf(given);
  tellOfIdle(mode, given);
  const gathered = await gather(given);
  const { base, model_options } = gathered;
  const flags = await withDataset(gathered, given);
  const isAuto = given.resume === "auto";
  const wanted = {
    ...base,
    ...givenSettings(flags),
    model_options: { ...model_options, ...givenOptions(given) },
  };
  const path = isAuto ? await newestRun(wanted, given.output) : given.resume;
  const checkpoint = path === undefined ? undefined : await findCheckpoint(path);
  const before = checkpoint === undefined ? undefined : dirname(checkpoint);
  const isNew = before === undefined || resolve(given.output ?? before) !== resolve(before);
  if (!isNew && mode === "train" && !given["print-config"]) held.use(await lockRun(before));
  const resumed = checkpoint === undefined ? undefined : await readCheckpoint(checkpoint);
  if (resumed) {
    checkPlainWeights(resumed, given);
    await checkFolder(resumed, given.data);
  }
  const chosen = chooseSettings(flags, base, resumed?.config, given);
  if (isAuto) console.error(`--resume auto: ${path === undefined ? newRun(chosen) : `goes on with ${path}`}`);
  const entry = await modelEntry(chosen.model, given, resumed?.path ?? given.config);
  const own = { ...chosen.model_options, ...model_options, ...ownOptions(chosen.model, entry, given) };
  checkOptions(chosen.model, entry, own);
  const settings = { ...chosen, model_options: own };
  const map = mapOf(entry, own, settings.input.length > 0 ? settings.input : entry.input);
  checkKind(settings, map !== undefined, flags.data !== undefined || (resumed ?? base) !== undefined);
  const isNamed = (given.output ?? before) !== undefined;
  const output = given.output ?? before ?? defaultFolder(settings, mode);
  if (mode !== "evaluate" && !given["print-config"]) {
    await checkWritable(output);
    if (isNew) await refuseOldRun(output);
  }
  // Before data are read, and downloaded maybe.
  if (settings.pretrained !== "" && !resumed && !given["print-config"]) {
    await findWeights(settings.pretrained);
  }
  const autotune = given.autotune ?? false;
  if (autotune && resumed) {
    throw new UserError("--autotune does not go with --resume: a run keeps the choices that it began with");
  }
  if (autotune && settings.exact && (given.device ?? "cpu") === "cpu") {
    throw new UserError("--autotune has nothing to choose with --exact");
  }
  return {
    mode,
    settings,
    entry,
    split_size: map?.split_size,
    resumed,
    autotune,
    output,
    isNew,
    isNamed,
    printEvery: given["print-every"],
    pictures: !given["no-pictures"],
    workers: await workersFor(given),
    dashboard: given.dashboard,
  };
}

/** What has every setting, `base`, says what a run is, whether it begins or goes on. */
function chooseSettings(
  flags: SettingFlags,
  base: Settings | undefined,
  resumed: Settings | undefined,
  given: Given,
): Settings {
  if (resumed && !base) return resolveSettings(flags, resumed, given);
  const chosen = changeSettings(flags, base, given);
  const refusal = resumed && refusedChange(chosen, resumed);
  if (refusal !== undefined) throw new UserError(refusal);
  return chosen;
}

/** Detectors are trained on boxes, where nobody says otherwise; for what files say see `datasetOf`. */
async function withDataset({ flags, base }: Gathered, given: Given): Promise<SettingFlags> {
  const dataset = await datasetOf({ dataset: flags.dataset ?? base?.dataset }, given);
  if (dataset !== undefined) return { ...flags, dataset };
  if (flags.model === undefined) return flags;
  const isDetector = mapOf(await modelEntry(flags.model, given, given.config), {}) !== undefined;
  return isDetector ? { ...flags, dataset: "boxes" } : flags;
}

interface Gathered {
  readonly flags: SettingFlags;
  /** Of a configuration that says everything. */
  readonly base: Settings | undefined;
  readonly model_options: object | undefined;
}

/** Flags, over those of the configuration, over those of the recipe. */
async function gather(given: Given): Promise<Gathered> {
  const recipe = given.recipe === undefined ? undefined : await readConfig(await recipeFile(given.recipe));
  const config = given.config === undefined ? undefined : await readConfig(given.config);
  if (recipe?.whole || config?.whole) {
    const whole = (config?.whole ? config : recipe) as Config;
    if (recipe && config) {
      throw new UserError("--recipe and --config do not go together where one of them has every setting");
    }
    if (given.resume && given.resume !== "auto") {
      throw new UserError(`--config ${given.config}: has every setting, as the run that --resume names does`);
    }
    const sameModel = given.model === undefined || given.model === whole.flags.model;
    const base = changeSettings(
      {},
      Object.fromEntries(
        Object.entries(whole.flags).map(([name, value]) => [settingOf(name), value]),
      ),
    );
    const flags = withRoomForWarmup(whole.flags, given);
    return { flags, base, model_options: sameModel ? whole.model_options : undefined };
  }
  // Options are those of a network: of another one they mean nothing.
  const model = given.model ?? config?.flags.model ?? recipe?.flags.model;
  const options = [recipe, config].filter((one) => (one?.flags.model ?? model) === model);
  const files = layered(recipe?.flags ?? {}, config?.flags ?? {});
  return {
    flags: layered(files, given),
    base: undefined,
    model_options: Object.assign({}, ...options.map((one) => one?.model_options)),
  };
}

/** `flags` over those of a file. */
function layered(file: SettingFlags, flags: SettingFlags): SettingFlags {
  const under = withoutReplaced(file, flags);
  return { ...under, ...withEarlyStop(withRoomForWarmup(under, flags)) };
}

/** `flags`, with a shorter warm-up where their epochs leave no room for the one that they are put over. */
function withRoomForWarmup(under: SettingFlags, flags: SettingFlags): SettingFlags {
  const { epochs = Infinity } = flags;
  const warmup = under["warmup-epochs"] ?? 0;
  if (flags["warmup-epochs"] !== undefined || warmup < epochs) return flags;
  const shorter = shortWarmup(warmup, epochs);
  console.error(`Note: the warm-up is shortened from ${warmup} to ${shorter} epochs: the run has ${epochs}`);
  return { ...flags, "warmup-epochs": shorter };
}

/**
 * The newest run that is not done and can go on with what is given; undefined where there is none. Where the run's
 * folder is named, it is that one or none, so that the same command begins a run and goes on with it.
 */
async function newestRun(given: Partial<Settings>, output: string | undefined): Promise<string | undefined> {
  if (output !== undefined) return await hasCheckpoint(output) ? output : undefined;
  return (await findRuns(RUNS)).find((run) => resumable(run, given))?.folder;
}

function newRun({ model, dataset }: Settings): string {
  return `no unfinished run fits; a new one of ${model} on ${dataset} begins`;
}

/** `runs/resnet50-digits-20261122-101500` */
function defaultFolder({ model, dataset }: Settings, mode: Mode): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return join(RUNS, `${mode === "lr-find" ? "lr-find-" : ""}${shortName(model)}-${dataset}-${time}`);
}
