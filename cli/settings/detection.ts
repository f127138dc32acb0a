/** What the loss of a detector weighs. */
import { UserError } from "../../core/errors.ts";
import { real } from "../arguments.ts";

export interface DetectionSettings {
  readonly lambda_coord: number;
  readonly lambda_noobj: number;
}

/** The names are the paper's. */
export const detectionFlags = {
  "lambda-coord": real("weight of boxes' places and sizes in the loss; 5", { min: 0 }),
  "lambda-noobj": real("weight of confidence where nothing is; 0.5", { min: 0 }),
};

export const detectionDefaults: DetectionSettings = { lambda_coord: 5, lambda_noobj: 0.5 };

/** Settings of classifiers' losses. */
const CLASSIFIERS_ONLY = ["label-smoothing", "mixup", "cutmix"] as const;

/** Throws where a flag is for networks of another kind. */
export function checkDetection(dataset: string, flags: Readonly<Record<string, unknown>>): void {
  const others = dataset === "boxes" ? CLASSIFIERS_ONLY : Object.keys(detectionFlags);
  const flag = others.find((name) => flags[name] !== undefined);
  if (flag === undefined) return;
  const whose = dataset === "boxes" ? "classifiers" : "detectors, such as yolov1";
  throw new UserError(`--${flag} has no effect with --dataset ${dataset}: it is for ${whose}`);
}
