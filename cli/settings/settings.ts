/** What a run is: from flags, configuration files, the run it resumes, and defaults. */
import { UserError } from "../../core/errors.ts";
import type { Parsed } from "../arguments.ts";
import { ampFlag, exactFlag } from "../backend.ts";
import { whole } from "../arguments.ts";
import { checkData, dataDefaults, dataFlags, type DataSettings } from "./data.ts";
import { checkDetection, detectionDefaults, detectionFlags, type DetectionSettings } from "./detection.ts";
import { checkFinetune, finetuneDefaults, finetuneFlags, type FinetuneSettings } from "./finetune.ts";
import { checkLimits, limitDefaults, limitFlags, type LimitSettings, withEarlyStop } from "./limits.ts";
import {
  checkRegularise,
  clipOf,
  regulariseDefaults,
  regulariseFlags,
  type RegulariseSettings,
} from "./regularise.ts";
import { savingDefaults, savingFlags, type SavingSettings } from "./saving.ts";
import {
  changedSchedule,
  checkSchedule,
  newSchedule,
  scheduleFlags,
  type ScheduleSettings,
} from "./schedule.ts";
import { subjectDefaults, subjectFlags, type SubjectSettings } from "./subject.ts";

/** Everything that decides a run; kept in config.json and in checkpoints. */
export interface Settings
  extends
    SubjectSettings,
    DataSettings,
    ScheduleSettings,
    RegulariseSettings,
    DetectionSettings,
    FinetuneSettings,
    LimitSettings,
    SavingSettings {
  readonly seed: number;
  /** Whether convolutions are plain sums, never Winograd's. */
  readonly exact: boolean;
  /** Whether images between layers lie in a GPU's memory as float16: mixed precision. */
  readonly amp: boolean;
}

export const generalFlags = {
  seed: whole("of everything random; 0", { min: 0 }),
  exact: exactFlag,
  amp: ampFlag,
};

/** All flags that are settings; a setting has its flag's name, with underscores. */
export const settingFlags = {
  ...subjectFlags,
  ...dataFlags,
  ...scheduleFlags,
  ...regulariseFlags,
  ...detectionFlags,
  ...finetuneFlags,
  ...limitFlags,
  ...savingFlags,
  ...generalFlags,
};

export type SettingFlags = Parsed<typeof settingFlags>;

/** Defaults of all settings but those that depend on others: the data's, the schedule's. */
const defaults = {
  ...subjectDefaults,
  ...regulariseDefaults,
  ...detectionDefaults,
  ...finetuneDefaults,
  ...limitDefaults,
  ...savingDefaults,
  seed: 0,
  exact: false,
  amp: false,
};

/** What a setting is called among the flags, and the other way round. */
export const flagOf = (setting: string): string => setting.replaceAll("_", "-");
export const settingOf = (flag: string): string => flag.replaceAll("-", "_");

/** Of a resumed run: what cannot change without making it another run. */
const FIXED = [
  "model",
  "dataset",
  "input",
  "batch_size",
  "optimizer",
  "seed",
  "val_split",
  "accumulate",
  "ema",
  "pretrained",
  "freeze",
  "limit_batches",
  "overfit_batches",
] as const satisfies (keyof Settings)[];

/**
 * Flags first, then the settings of the run that is resumed, then defaults. Of the flags, `asked` are those of the command
 * line, the others those of files. Throws where settings contradict each other, or where what is asked for has no effect.
 */
export function resolveSettings(
  flags: SettingFlags,
  resumed?: Partial<Settings>,
  asked: SettingFlags = flags,
): Settings {
  if (!resumed) return changeSettings(flags, undefined, asked);
  const refusal = refusedChange(givenSettings(flags), resumed);
  if (refusal !== undefined) throw new UserError(refusal);
  return checked(merged(flags, resumed), asked);
}

/** The same on the ground of any settings, all of which may be changed. */
export function changeSettings(
  flags: SettingFlags,
  before?: Partial<Settings>,
  asked: SettingFlags = flags,
): Settings {
  return checked(makeRoom(merged(flags, before), asked), asked);
}

function merged(flags: SettingFlags, before?: Partial<Settings>): Settings {
  const given = givenSettings(flags);
  // Who names a folder has images of their own.
  const dataset = given.dataset ?? before?.dataset ?? (given.data === undefined ? "digits" : "folder");
  const schedule = before ? changedSchedule(dataset, before as Settings, given) : newSchedule(dataset, given);
  return {
    ...defaults,
    ...dataDefaults(dataset),
    clip_grad: clipOf(schedule.scheduler),
    ...before,
    ...given,
    dataset,
    ...schedule,
  };
}

function checked(settings: Settings, asked: SettingFlags): Settings {
  checkData(settings, asked);
  checkSchedule(settings, asked);
  checkRegularise(settings, asked);
  checkDetection(settings.dataset, asked);
  checkFinetune(settings);
  checkLimits(settings, asked);
  return settings;
}

/** What files say is off where flags of the command line leave no room for it. */
function makeRoom(settings: Settings, asked: SettingFlags): Settings {
  const isTried = asked["limit-batches"] || asked.mixup || asked.cutmix;
  return {
    ...settings,
    ...asked["overfit-batches"] ? { limit_batches: 0, mixup: 0, cutmix: 0 } : {},
    ...isTried ? { overfit_batches: 0 } : {},
    ...settings.dataset === "boxes" ? { label_smoothing: 0, mixup: 0, cutmix: 0 } : {},
    ...asked.pretrained === "" ? { freeze: [], partial: false } : {},
    ...asked.momentum === 0 ? { nesterov: false } : {},
    ...givenSettings(asked),
  };
}

/** The settings that flags set. */
export function givenSettings(flags: SettingFlags): Partial<Settings> {
  return Object.fromEntries(
    Object.entries(withEarlyStop(flags))
      .filter(([name]) => Object.hasOwn(settingFlags, name))
      .map(([name, value]) => [settingOf(name), value]),
  );
}

/** Why a run cannot go on with such settings; undefined where it can. */
export function refusedChange(given: Partial<Settings>, resumed: Partial<Settings>): string | undefined {
  const earlier: Partial<Settings> = { ...defaults, ...resumed };
  for (const name of FIXED) {
    const [now, before] = [given[name], earlier[name]];
    if (now === undefined || String(now) === String(before)) continue;
    const isSwitch = typeof now === "boolean";
    const flag = isSwitch ? `--${now ? "" : "no-"}${flagOf(name)}` : `--${flagOf(name)} ${now}`;
    const had = isSwitch ? (before ? "it" : "none") : String(before) || "none";
    return `${flag} does not go with --resume: that run has ${had}`;
  }
  return undefined;
}
