/** What makes a network generalise better, and its training steadier. */
import { UserError } from "../../core/errors.ts";
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
  mixup: real("mixes images in pairs; ALPHA of the beta distribution, 0.2 say", { min: 0 }, "ALPHA"),
  cutmix: real("swaps rectangles of images in pairs; ALPHA as 1", { min: 0 }, "ALPHA"),
  ema: switchFlag("tests and keeps an exponential moving average of the weights"),
  "ema-decay": real("what that keeps each step; default 0.9998", { min: 0, max: 1 }),
  "clip-grad": real("the largest norm that all gradients together may have", { min: 0 }, "NORM"),
  accumulate: whole("batches whose gradients make one update; default 1", { min: 1 }),
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

/** Throws where one of the flags has no effect. */
export function checkRegularise(
  settings: RegulariseSettings & { readonly weight_decay: number },
  flags: Readonly<Record<string, unknown>>,
): void {
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
