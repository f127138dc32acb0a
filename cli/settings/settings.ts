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
  /** Whether products are of numbers rounded to float16: mixed precision. */
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
  "accumulate",
  "ema",
  "pretrained",
  "freeze",
  "limit_batches",
  "overfit_batches",
] as const satisfies (keyof Settings)[];

/**
 * Flags first, then the settings of the run that is resumed, then defaults. Throws where settings contradict each other
 * or have no effect.
 */
export function resolveSettings(flags: SettingFlags, resumed?: Partial<Settings>): Settings {
  const given = givenSettings(flags);
  if (resumed) refuseChanges(given, { ...defaults, ...resumed });
  return changeSettings(flags, resumed);
}

/** The same on the ground of any settings, all of which may be changed. */
export function changeSettings(flags: SettingFlags, before?: Partial<Settings>): Settings {
  const given = givenSettings(flags);
  // Who names a folder has images of their own.
  const dataset = given.dataset ?? before?.dataset ?? (given.data === undefined ? "digits" : "folder");
  const schedule = before ? changedSchedule(before as Settings, given) : newSchedule(dataset, given);
  const settings = {
    ...defaults,
    ...dataDefaults(dataset),
    clip_grad: clipOf(schedule.scheduler),
    ...before,
    ...given,
    dataset,
    ...schedule,
  };
  checkData(settings, flags);
  checkSchedule(settings, flags);
  checkRegularise(settings, flags);
  checkDetection(dataset, flags);
  checkFinetune(settings);
  checkLimits(settings, flags);
  return settings;
}

/** The settings that flags set. */
export function givenSettings(flags: SettingFlags): Partial<Settings> {
  return withEarlyStop(Object.fromEntries(
    Object.entries(flags)
      .filter(([name]) => Object.hasOwn(settingFlags, name))
      .map(([name, value]) => [settingOf(name), value]),
  ));
}

function refuseChanges(given: Partial<Settings>, resumed: Partial<Settings>): void {
  for (const name of FIXED) {
    const [now, before] = [given[name], resumed[name]];
    if (now === undefined || String(now) === String(before)) continue;
    const isSwitch = typeof now === "boolean";
    const flag = isSwitch ? `--${now ? "" : "no-"}${flagOf(name)}` : `--${flagOf(name)} ${now}`;
    const had = isSwitch ? (before ? "it" : "none") : String(before) || "none";
    throw new UserError(`${flag} does not go with --resume: that run has ${had}`);
  }
}
