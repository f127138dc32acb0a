/**
 * Learning-rate schedules: pure functions of the epoch (or step; t below), so that resuming needs no saved state.
 * Names and arguments are those of PyTorch's `torch.optim.lr_scheduler`, in closed form.
 */

/** Linear warm-up over the first `warmup` epochs or steps, which any schedule may have in front of it. */
export interface Warmup {
  /** How many epochs or steps the warm-up takes; 0 for none. The schedule proper starts after it. */
  readonly warmup?: number;
  /** The first learning rate, as a share of the one the schedule starts with. Default 1/3, as LinearLR's. */
  readonly start_factor?: number;
}

export interface Constant {
  readonly name: "constant";
}

export interface Step {
  readonly name: "step";
  readonly step_size: number;
  readonly gamma?: number;
}

export interface MultiStep {
  readonly name: "multistep";
  readonly milestones: readonly number[];
  readonly gamma?: number;
}

export interface Exponential {
  readonly name: "exponential";
  readonly gamma: number;
}

export interface Cosine {
  readonly name: "cosine";
  readonly T_max: number;
  readonly eta_min?: number;
}

export interface OneCycle {
  readonly name: "onecycle";
  readonly max_lr: number;
  readonly total_steps: number;
  readonly pct_start?: number;
  readonly anneal_strategy?: "cos" | "linear";
  readonly div_factor?: number;
  readonly final_div_factor?: number;
  readonly three_phase?: boolean;
}

/** YOLOv1's (Redmon et al. 2015, section 2.2): 75 epochs, 30 with a tenth of the rate and 30 with a hundredth. */
export interface Yolo {
  readonly name: "yolo";
  /** Epochs or steps to which these 135 are scaled, without the warm-up. */
  readonly total: number;
}

/** A schedule by its name, with its arguments, and perhaps a warm-up before it. `lr` is the rate that it starts with. */
export type ScheduleOptions =
  & { readonly lr: number }
  & Warmup
  & (Constant | Step | MultiStep | Exponential | Cosine | OneCycle | Yolo);

export type ScheduleName = ScheduleOptions["name"];

/** The learning rate of epoch (or step) t = 0, 1, 2, … */
export type Schedule = (t: number) => number;

export const scheduleNames: readonly ScheduleName[] = [
  "constant",
  "step",
  "multistep",
  "exponential",
  "cosine",
  "onecycle",
  "yolo",
];

/**
 * The schedule that the options describe. A warm-up is linear: up to t = warmup, the learning rate is that of the
 * schedule's beginning times start_factor + (1 − start_factor) · t / warmup.
 *
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const lr = schedule({ name: "cosine", lr: 0.3, T_max: 90, warmup: 5 });
 * assert.equal(lr(0).toFixed(6), "0.100000");
 * assert.equal(lr(5).toFixed(6), "0.300000");
 * assert.equal(lr(50).toFixed(6), "0.150000");
 * assert.equal(lr(95).toFixed(6), "0.000000");
 * ```
 */
export function schedule(options: ScheduleOptions): Schedule {
  const { warmup = 0, start_factor = 1 / 3 } = options;
  const after = withoutWarmup(options);
  if (warmup <= 0) return after;
  const peak = after(0);
  return (t) => t < warmup ? peak * (start_factor + (1 - start_factor) * t / warmup) : after(t - warmup);
}

function withoutWarmup(options: ScheduleOptions): Schedule {
  switch (options.name) {
    case "constant":
      return () => options.lr;
    case "step":
      return step(options.lr, options);
    case "multistep":
      return multistep(options.lr, options);
    case "exponential":
      return (t) => options.lr * options.gamma ** t;
    case "cosine":
      return cosine(options.lr, options);
    case "onecycle":
      return onecycle(options);
    case "yolo":
      return yolo(options.lr, options);
  }
}

/** lr · gamma^⌊t / step_size⌋ */
function step(lr: number, { step_size, gamma = 0.1 }: Step): Schedule {
  return (t) => lr * gamma ** Math.floor(t / step_size);
}

/** lr · gamma^(number of milestones ≤ t) */
function multistep(lr: number, { milestones, gamma = 0.1 }: MultiStep): Schedule {
  return (t) => lr * gamma ** milestones.filter((milestone) => milestone <= t).length;
}

/** eta_min + (lr − eta_min) · (1 + cos(π t / T_max)) / 2; beyond T_max it rises again, as PyTorch's does. */
function cosine(lr: number, { T_max, eta_min = 0 }: Cosine): Schedule {
  return (t) => eta_min + (lr - eta_min) * (1 + Math.cos(Math.PI * t / T_max)) / 2;
}

/** lr, from 75/135 of the whole on lr / 10, from 105/135 on lr / 100. */
function yolo(lr: number, { total }: Yolo): Schedule {
  return (t) => lr * (135 * t < 75 * total ? 1 : 135 * t < 105 * total ? 0.1 : 0.01);
}

/**
 * Super-convergence's one cycle (Smith & Topin 2018): from max_lr / div_factor up to max_lr over the first
 * `pct_start` of the steps, then down to max_lr / (div_factor · final_div_factor). With `three_phase` the way down
 * is first a mirror of the way up. `lr` plays no part, as in PyTorch. Momentum is left alone: PyTorch's
 * `cycle_momentum=False`, which is not its default. A phase from step a to step b anneals by
 * (1 + cos(π p)) / 2 or linearly, with p = (t − a) / (b − a).
 */
function onecycle(options: OneCycle): Schedule {
  const { max_lr, total_steps, pct_start = 0.3, div_factor = 25, final_div_factor = 1e4 } = options;
  const initial = max_lr / div_factor;
  const final = initial / final_div_factor;
  const top = pct_start * total_steps - 1;
  const last = total_steps - 1;
  const points: [at: number, lr: number][] = options.three_phase
    ? [[0, initial], [top, max_lr], [2 * top, initial], [last, final]]
    : [[0, initial], [top, max_lr], [last, final]];
  const anneal = options.anneal_strategy === "linear"
    ? (from: number, to: number, p: number) => from + (to - from) * p
    : (from: number, to: number, p: number) => to + (from - to) * (1 + Math.cos(Math.PI * p)) / 2;
  return (t) => {
    for (let phase = 1; phase < points.length; phase++) {
      const [start, from] = points[phase - 1] as [number, number];
      const [end, to] = points[phase] as [number, number];
      if (t <= end) return anneal(from, to, end > start ? (t - start) / (end - start) : 1);
    }
    return final;
  };
}
