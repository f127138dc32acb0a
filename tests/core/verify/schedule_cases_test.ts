import { deepEqual, equal, throws } from "node:assert/strict";
import { schedule, type ScheduleOptions } from "../../../core/optim/schedule.ts";
import { outcomeOf } from "../../../core/verify/case.ts";
import { optionsOf, scheduleCases, type ScheduleEntry } from "../../../core/verify/schedule_cases.ts";
import type { Backend } from "../../../core/backend/backend.ts";

const none = {} as Backend;

function outcome(entry: ScheduleEntry) {
  const [item] = scheduleCases({ json: new Map([["ops", { schedulers: [entry] }]]), tensors: new Map() });
  return outcomeOf(item!, none);
}

const epochs = Array.from({ length: 11 }, (_, epoch) => epoch);
const curves: ScheduleEntry[] = [
  {
    name: "step",
    base_lr: 0.5,
    lrs: epochs.map(schedule({ name: "step", lr: 0.5, step_size: 4, gamma: 0.3 })),
  },
  {
    name: "multistep",
    base_lr: 0.3,
    lrs: epochs.map(schedule({ name: "multistep", lr: 0.3, milestones: [1, 4, 9], gamma: 0.2 })),
  },
  { name: "exponential", base_lr: 2, lrs: epochs.map(schedule({ name: "exponential", lr: 2, gamma: 0.7 })) },
  { name: "cosine", base_lr: 0.7, lrs: epochs.map(schedule({ name: "cosine", lr: 0.7, T_max: 23 })) },
  {
    name: "onecycle",
    base_lr: 0.1,
    lrs: epochs.map(schedule({ name: "onecycle", lr: 0.1, max_lr: 0.9, total_steps: 30 })),
  },
  { name: "constant", base_lr: 0.1, lrs: epochs.map(() => 0.1) },
  curve("MultiStepLR", { name: "multistep", lr: 0.3, milestones: [2, 2, 5, 8, 8, 8], gamma: 0.3 }),
  curve("CosineAnnealingLR", { name: "cosine", lr: 0.4, T_max: 30, eta_min: 0.05 }),
  curve("cosine_one", { name: "cosine", lr: 0.4, T_max: 1, eta_min: 0.1 }),
  curve("one_cycle_early", { name: "onecycle", lr: 0, max_lr: 0.8, total_steps: 11, pct_start: 0.15 }),
  curve("one_cycle_late", { name: "onecycle", lr: 0, max_lr: 0.8, total_steps: 14, pct_start: 0.55 }),
  curve("onecycle_div", {
    ...{ name: "onecycle", lr: 0, max_lr: 0.8, total_steps: 11, div_factor: 7, final_div_factor: 50 },
  }),
  curve("onecycle_linear", {
    ...{ name: "onecycle", lr: 0, max_lr: 0.8, total_steps: 16, anneal_strategy: "linear" },
  }),
  curve("onecycle_three", { name: "onecycle", lr: 0, max_lr: 0.8, total_steps: 11, three_phase: true }),
  curve("warmup_step", { name: "step", lr: 0.3, step_size: 3, gamma: 0.5, warmup: 4, start_factor: 0.2 }),
  curve("linear_warmup_cosine", { name: "cosine", lr: 0.3, T_max: 9, eta_min: 0.01, warmup: 3 }),
  curve("warmup", { name: "constant", lr: 0.3, warmup: 7, start_factor: 0.1 }),
];

function curve(name: string, options: ScheduleOptions): ScheduleEntry {
  return { name, base_lr: options.lr, lrs: epochs.map(schedule(options)) };
}

for (const entry of curves) {
  Deno.test(`the arguments of ${entry.name} are read off its curve, which then fits`, async () => {
    equal((await outcome(entry)).status, "ok");
  });

  Deno.test(`${entry.name} fails when one epoch is off`, async () => {
    for (const epoch of [5, 10]) {
      const lrs = entry.lrs.map((lr, at) => at === epoch ? lr * (1 + 1e-6) : lr);
      equal((await outcome({ ...entry, lrs })).status, "FAIL", `epoch ${epoch}`);
    }
  });
}

Deno.test("arguments that an entry gives are taken as they are", async () => {
  const given = { name: "cosine_floor", base_lr: 1, T_max: 7, eta_min: 0.25, warmup: 2, start_factor: 0.5 };
  const lrs = epochs.map(schedule({ ...given, name: "cosine", lr: 1 }));
  equal((await outcome({ ...given, lrs })).status, "ok");
  equal((await outcome({ ...given, eta_min: 0.3, lrs })).status, "FAIL");
  deepEqual(optionsOf({ name: "step", base_lr: 1, lrs: [1, 1, 0.5], gamma: 0.1 }), {
    name: "step",
    lr: 1,
    step_size: 2,
    gamma: 0.1,
  });
});

Deno.test("unknown schedules and arguments are missing, not skipped", async () => {
  for (const name of ["cyclic", "polynomial", "cosine_warm_restarts"]) {
    equal((await outcome({ name, base_lr: 1, lrs: [1] })).status, "missing");
  }
  throws(() => optionsOf({ name: "cosine", base_lr: 1, lrs: [1, 0.9], T_mult: 2 }), /T_mult/);
});
