/** All cases of a golden folder; what Strata cannot run yet is among them, and says so. */
import { type Case, Missing } from "./case.ts";
import { type Golden, named } from "./golden.ts";
import { layoutCases } from "./layout_cases.ts";
import { modelCases } from "./model_cases.ts";
import type { Networks } from "./networks.ts";
import { opCases } from "./op_cases.ts";
import { optimizerCases } from "./optimizer_cases.ts";
import { scheduleCases } from "./schedule_cases.ts";
import { yoloCases, yoloParts } from "./yolo_cases.ts";

/** Every case of the folder: what cannot be run yet is a case that is missing, and not left out. */
export function casesOf(golden: Golden, networks: Networks): Case[] {
  return [
    ...opCases(golden),
    ...optimizerCases(golden),
    ...scheduleCases(golden),
    ...layoutCases(golden, networks),
    ...modelCases(golden, networks),
    ...yoloCases(golden),
    ...unknownCases(golden),
  ];
}

const known: Readonly<Record<string, readonly string[] | "networks">> = {
  ops: ["cases", "optimizers", "schedulers"],
  models: "networks",
  whole_models: "networks",
  yolo: yoloParts,
};

/** Files, and parts of files, of a kind that no runner knows: each counts as one missing case. */
function unknownCases(golden: Golden): Case[] {
  return [...golden.json.keys()].flatMap((file) => {
    const parts = known[file];
    if (!parts) return [missing(`${file}.json`, "there is no runner for this file")];
    if (parts === "networks") return [];
    return named(golden, file)
      .filter(([part]) => !parts.includes(part))
      .map(([part]) => missing(`${file}.json/${part}`, "there is no runner for this part of the file"));
  });
}

function missing(name: string, reason: string): Case {
  return { name, run: () => Promise.reject(new Missing(reason)) };
}
