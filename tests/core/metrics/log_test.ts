import assert from "node:assert/strict";
import { bestEpoch } from "../../../core/metrics/best_epoch.ts";
import { compareRuns } from "../../../core/metrics/compare_runs.ts";
import { formatLog, parseLog } from "../../../core/metrics/log.ts";

Deno.test("a log is read as it was written, and an older one by its columns' names", () => {
  const rows = [{ epoch: 1, train_loss: 2.5, test_accuracy: 0.25, lr: 1e-7 }, { epoch: 2, seconds: 3.5 }];
  assert.deepEqual(parseLog(formatLog(rows)), rows);
  const old = "epoch,test_accuracy,seconds,strange\n1,0.5,2.00,7\n2,,3,\n";
  assert.deepEqual(parseLog(old), [{ epoch: 1, test_accuracy: 0.5, seconds: 2 }, { epoch: 2, seconds: 3 }]);
  assert.deepEqual(parseLog(""), []);
});

Deno.test("runs are compared by what differs", () => {
  const log = (accuracies: number[]) =>
    accuracies.map((test_accuracy, i) => ({
      epoch: i + 1,
      test_accuracy,
      seconds: 2,
      images_per_second: 100,
    }));
  const [a, b] = compareRuns([
    { name: "a", config: { lr: 0.1, seed: 0, images: 1 }, log: log([0.5, 0.75, 0.75]) },
    { name: "b", config: { lr: 0.2, seed: 0, images: 2, ema: true }, log: log([0.25]) },
  ]);
  assert.deepEqual(a!.settings, { lr: 0.1, ema: null });
  assert.deepEqual(b!.settings, { lr: 0.2, ema: true });
  assert.deepEqual([a!.best_accuracy, a!.best_epoch, a!.last_accuracy, a!.seconds], [0.75, 2, 0.75, 6]);
  assert.equal(bestEpoch([]), undefined);
});
