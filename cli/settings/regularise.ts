/** What makes a network generalise better, and its training steadier. */
import { UserError } from "../../core/errors.ts";
import type { ScheduleName } from "../../core/optim/schedule.ts";
import { real, switchFlag, whole } from "../arguments.ts";

/** A number that is 0 stands for an option that is off. */
export interface RegulariseSettings {
  readonly label_smoothing: number;
  readonly mixup: number;
  readonly cutmix: number;
  readonly ema: boolean;
  readonly ema_decay: number;
  readonly clip_grad: number;
  readonly accumulate: number;
  readonly no_wd_on_norm: boolean;
}

export const regulariseFlags = {
  "label-smoothing": real("share of each target spread over all classes", { min: 0, max: 1 }),
  mixup: real("mixes images in pairs, by beta(ALPHA, ALPHA): 0.2 say", { min: 0 }, "ALPHA"),
  cutmix: real("swaps parts of images in pairs: 1 say", { min: 0 }, "ALPHA"),
  ema: switchFlag("tests and keeps a moving average of the weights"),
  "ema-decay": real("how much of that each step keeps; 0.9998", { min: 0, max: 1 }),
  "clip-grad": real("the largest norm of all gradients together; 10 for yolo, 0: none", { min: 0 }, "NORM"),
  accumulate: whole("batches whose gradients make one update", { min: 1 }),
  "no-wd-on-norm": switchFlag("no weight decay for norms and biases"),
};

export const regulariseDefaults: RegulariseSettings = {
  label_smoothing: 0,
  mixup: 0,
  cutmix: 0,
  ema: false,
  ema_decay: 0.9998,
  clip_grad: 0,
  accumulate: 1,
  no_wd_on_norm: false,
};

/**
 * The largest norm by default. A detector's loss has the root of predicted sizes, which is steep near 0: from scratch,
 * YOLOv1's own schedule diverges within ten steps without a limit.
 */
export function clipOf(scheduler: ScheduleName): number {
  return scheduler === "yolo" ? 10 : 0;
}

/** Throws where one of the flags has no effect. */
export function checkRegularise(
  settings: RegulariseSettings & { readonly weight_decay: number; readonly batch_size: number },
  flags: Readonly<Record<string, unknown>>,
): void {
  const mixing = ["mixup", "cutmix"].find((flag) => flags[flag]);
  if (mixing !== undefined && settings.batch_size === 1) {
    throw new UserError(`--${mixing} has no effect with --batch-size 1: it mixes the images of a batch`);
  }
  if (flags["ema-decay"] !== undefined && !settings.ema) {
    throw new UserError("--ema-decay has no effect without --ema");
  }
  if (settings.ema && settings.ema_decay >= 1) {
    throw new UserError("--ema-decay must be below 1, or the average never moves");
  }
  if (flags["no-wd-on-norm"] && settings.weight_decay === 0) {
    throw new UserError("--no-wd-on-norm has no effect without weight decay: give --weight-decay too");
  }
}
