/** The flags of `train`, in the groups that its help shows. */
import { switchFlag, text, whole } from "./arguments.ts";
import { deviceFlag, threadFlags } from "./backend.ts";
import { optionFlags } from "./model.ts";
import { dataFlags } from "./settings/data.ts";
import { detectionFlags } from "./settings/detection.ts";
import { finetuneFlags } from "./settings/finetune.ts";
import { limitFlags } from "./settings/limits.ts";
import { regulariseFlags } from "./settings/regularise.ts";
import { savingFlags } from "./settings/saving.ts";
import { scheduleFlags } from "./settings/schedule.ts";
import { generalFlags, settingFlags } from "./settings/settings.ts";
import { subjectFlags } from "./settings/subject.ts";

export const trainGroups = {
  "What to train": { ...subjectFlags, ...optionFlags },
  "The images": dataFlags,
  "How long, and how fast it learns": scheduleFlags,
  "Better generalisation, steadier steps": regulariseFlags,
  "Detectors": detectionFlags,
  "From other weights": finetuneFlags,
  "Ending early, or trying out": {
    ...limitFlags,
    "dry-run": switchFlag("two updates, a test, a save; tells time and memory"),
    "lr-find": switchFlag("raises the rate step by step; suggests one"),
  },
  "Settings from files": {
    recipe: text("NAME", "settings that come with Strata, see below"),
    config: text("FILE", "settings as JSON, as a run's config.json; flags win"),
    "print-config": switchFlag("prints all settings as JSON, and ends"),
  },
  "What is kept": {
    output: text("FOLDER", "the run's folder; runs/MODEL-DATASET-TIME"),
    resume: text("PATH", "goes on with this run (its folder), or with auto: newest"),
    "evaluate-only": switchFlag("only tests the weights that --resume names"),
    ...savingFlags,
    "no-pictures": switchFlag("no pictures of the results, nothing for TensorBoard"),
  },
  "The machine": {
    ...generalFlags,
    device: deviceFlag,
    ...threadFlags,
    autotune: switchFlag("measures first how each convolution is fastest here"),
    "print-every": whole("steps between lines where there is no terminal", { min: 1 }),
    dashboard: {
      ...whole("a live page, on this machine only; on a free port", { min: 0, max: 65535 }),
      value: "[PORT]",
      bare: "0",
    },
    help: switchFlag("shows this"),
  },
};

export const trainFlags = {
  ...trainGroups["What to train"],
  ...trainGroups["The images"],
  ...trainGroups["How long, and how fast it learns"],
  ...trainGroups["Better generalisation, steadier steps"],
  ...trainGroups["Detectors"],
  ...trainGroups["From other weights"],
  ...trainGroups["Ending early, or trying out"],
  ...trainGroups["Settings from files"],
  ...trainGroups["What is kept"],
  ...trainGroups["The machine"],
};

/** Switches that a configuration or a resumed run may have on: `--no-` turns them off. */
export const negatable: readonly string[] = Object.entries(settingFlags)
  .flatMap(([name, flag]) => flag.value === undefined ? [name] : []);
