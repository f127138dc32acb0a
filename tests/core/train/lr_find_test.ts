import assert from "node:assert/strict";
import { suggest, sweep, sweepOptions } from "../../../core/train/lr_find.ts";
import { createTrainer } from "../../../core/train/trainer.ts";
import { backendFor } from "../../support/run_op.ts";
import { tinyData, TinyNet } from "../../support/tiny.ts";
import { classification } from "../../../core/train/classification.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

Deno.test("the steepest fall is suggested, and where nothing falls nothing", () => {
  const curve = (loss: (decade: number) => number) =>
    Array.from({ length: 80 }, (_, i) => {
      const decade = -7 + i / 10;
      return { lr: 10 ** decade, loss: loss(decade), smoothed: loss(decade) };
    });
  // A step down around 10⁻³, up again from 10⁻¹.
  const found = suggest(curve((decade) => -Math.tanh(2 * (decade + 3)) + Math.exp(3 * (decade + 0.5))))!;
  assert.ok(found.steepest > 5e-4 && found.steepest < 2e-3, `${found.steepest}`);
  assert.ok(found.lowest > found.steepest && found.lowest < 0.1);
  assert.equal(suggest(curve((decade) => decade)), undefined);
});

Deno.test(
  "a sweep raises the rate by the same factor each update and ends where the loss blows up",
  pooled,
  async () => {
    const options = {
      backend: await backendFor({ threads: 2 }),
      model: new TinyNet(),
      data: tinyData(),
      batch_size: 8,
      epochs: 1,
      optimizer: { name: "sgd", momentum: 0.9 } as const,
      lr: () => 0,
      task: classification(),
      seed: 1,
      accumulate: 2,
    };
    const range = { from: 1e-5, to: 1e5, updates: 41 };
    const trainer = createTrainer(sweepOptions(options, range));
    await trainer.initialise();
    const points = await Array.fromAsync(sweep(trainer, range, options.accumulate));
    assert.ok(points.length > 10 && points.length < 41, `${points.length}`);
    points.forEach(({ lr }, i) => assert.ok(Math.abs(lr / (1e-5 * 10 ** (i / 4)) - 1) < 1e-9, `${i}: ${lr}`));
    trainer.session.dispose();
  },
);
