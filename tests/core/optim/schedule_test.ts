import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { schedule, type ScheduleOptions } from "../../../core/optim/schedule.ts";

/** Eleven epochs of `torch.optim.lr_scheduler` (PyTorch 1.13, float64). */
const fromPyTorch: [ScheduleOptions, number[]][] = [
  [
    { name: "step", lr: 0.2, step_size: 3, gamma: 0.1 },
    [0.2, 0.2, 0.2, 0.02, 0.02, 0.02, 0.002, 0.002, 0.002, 0.0002, 0.0002],
  ],
  [
    { name: "multistep", lr: 0.2, milestones: [2, 5] },
    [0.2, 0.2, 0.02, 0.02, 0.02, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002],
  ],
  [{ name: "cosine", lr: 0.2, T_max: 10 }, [
    0.2,
    0.19510565162951538,
    0.18090169943749476,
    0.15877852522924735,
    0.13090169943749477,
    0.1,
    0.06909830056250528,
    0.041221474770752706,
    0.01909830056250527,
    0.004894348370484648,
    0,
  ]],
  [{ name: "onecycle", lr: 0.2, max_lr: 0.4, total_steps: 12 }, [
    0.016000000000000014,
    0.1399158616878332,
    0.3517140636488515,
    0.39776617418036475,
    0.3732051879365647,
    0.3246982615799052,
    0.25895159907804133,
    0.18505484106679002,
    0.11322439928347969,
    0.05339101207553224,
    0.01382679497015809,
  ]],
  [
    { name: "exponential", lr: 0.2, gamma: 0.9 },
    [
      0.2,
      0.18,
      0.162,
      0.1458,
      0.13122,
      0.118098,
      0.1062882,
      0.09565938,
      0.086093442,
      0.0774840978,
      0.06973568802,
    ],
  ],
  [{ name: "constant", lr: 0.2 }, [0.2, 0.2, 0.2]],
];

function near(actual: number, expected: number, what = ""): void {
  ok(
    Math.abs(actual - expected) <= 1e-14 + 1e-12 * Math.abs(expected),
    `${what}: ${actual}, not ${expected}`,
  );
}

for (const [options, expected] of fromPyTorch) {
  Deno.test(`${options.name} is PyTorch's`, () => {
    const lr = schedule(options);
    expected.forEach((value, t) => near(lr(t), value, `epoch ${t}`));
  });
}

Deno.test("cosine ends at eta_min", () =>
  near(schedule({ name: "cosine", lr: 1, T_max: 7, eta_min: 0.25 })(7), 0.25));

Deno.test("onecycle with three phases comes down the way it went up", () => {
  const lr = schedule({ name: "onecycle", lr: 0, max_lr: 1, total_steps: 20, three_phase: true });
  for (let t = 0; t <= 5; t++) near(lr(10 - t), lr(t), `step ${t}`);
  near(lr(19), 1 / 25 / 1e4);
});

Deno.test("onecycle anneals linearly where asked", () => {
  const options = { name: "onecycle", lr: 0, max_lr: 1, total_steps: 11, pct_start: 6 / 11 } as const;
  const lr = schedule({ ...options, anneal_strategy: "linear" });
  near(lr(0), 0.04);
  near(lr(5), 1);
  near(lr(2), 0.04 + 0.96 * 2 / 5);
});

Deno.test("YOLOv1's: 75, 30 and 30 epochs with a tenth of the rate each, scaled to the run", () => {
  const paper = schedule({ name: "yolo", lr: 0.01, total: 135 });
  const rates = Array.from({ length: 135 }, (_, epoch) => paper(epoch));
  for (const [from, to, lr] of [[0, 75, 1e-2], [75, 105, 1e-3], [105, 135, 1e-4]] as const) {
    ok(rates.slice(from, to).every((rate) => Math.abs(rate - lr) < 1e-12), `${from} … ${to}`);
  }
  const short = schedule({ name: "yolo", lr: 0.01, total: 9, warmup: 1, start_factor: 0.1 });
  const expected = [
    ...[[0, 1e-3], [0.5, 5.5e-3], [1, 1e-2], [5.99, 1e-2]],
    ...[[6, 1e-3], [7.99, 1e-3], [8, 1e-4], [10, 1e-4]],
  ] as [number, number][];
  for (const [epoch, rate] of expected) near(short(epoch), rate, `epoch ${epoch}`);
});

const anySchedule: fc.Arbitrary<ScheduleOptions> = fc.record({
  lr: fc.double({ min: 1e-4, max: 1, noNaN: true }),
  steps: fc.integer({ min: 1, max: 200 }),
  kind: fc.constantFrom("constant", "step", "multistep", "exponential", "cosine", "onecycle", "yolo"),
}).map(({ lr, steps, kind }): ScheduleOptions => {
  switch (kind) {
    case "step":
      return { name: kind, lr, step_size: steps };
    case "multistep":
      return { name: kind, lr, milestones: [steps, 2 * steps] };
    case "exponential":
      return { name: kind, lr, gamma: 0.95 };
    case "cosine":
      return { name: kind, lr, T_max: steps };
    case "onecycle":
      return { name: kind, lr, max_lr: lr, total_steps: steps };
    case "yolo":
      return { name: kind, lr, total: steps };
    default:
      return { name: kind as "constant", lr };
  }
});

Deno.test("learning rates are finite, not negative, and never above the largest asked for", () => {
  fc.assert(fc.property(anySchedule, fc.integer({ min: 0, max: 400 }), (options, t) => {
    const lr = schedule(options)(t);
    ok(Number.isFinite(lr) && lr >= 0 && lr <= options.lr * (1 + 1e-12), `${lr}`);
  }));
});

Deno.test("warm-up is a straight line into the schedule, which then runs as it would without", () => {
  fc.assert(fc.property(
    anySchedule,
    fc.integer({ min: 1, max: 50 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (options, warmup, start_factor) => {
      const plain = schedule(options);
      const warmed = schedule({ ...options, warmup, start_factor });
      near(warmed(0), plain(0) * start_factor, "start");
      near(warmed(warmup) - warmed(warmup - 1), plain(0) * (1 - start_factor) / warmup, "slope");
      for (let t = 0; t < 20; t++) equal(warmed(warmup + t), plain(t));
    },
  ));
});
