import assert from "node:assert/strict";
import { createReport } from "../../cli/report.ts";
import { collectPredictions } from "../../core/metrics/predictions.ts";

Deno.test("an epoch whose steps were all taken before has no images a second", () => {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    const report = createReport({
      epochs: 2,
      batch_size: 4,
      steps: 5,
      before: 5,
      total: 10,
      seconds: Infinity,
      printEvery: 5,
    });
    report.startEpoch();
    const train = { loss: 1, figures: { accuracy: 0.5 } };
    const test = {
      ...train,
      kind: "classes",
      score: 0.5,
      accuracy: 0.5,
      top5: 1,
      predictions: collectPredictions(0, 10).finish(),
    } as const;
    const scored = { train, test, lr: 0.1, best: false, data_wait: 0 };
    const event = { type: "epoch", epoch: 1, ...scored } as const;
    assert.equal(report.show(event)!.images_per_second, undefined);
  } finally {
    console.log = log;
  }
  assert.match(lines.join("\n"), /train: loss 1\.0000, 50\.00 %; test: .*; 0:00, --:-- left$/);
});
