import assert from "node:assert/strict";
import { bestEpoch } from "../../../core/metrics/best_epoch.ts";
import { formatLog, parseLog } from "../../../core/metrics/log.ts";

Deno.test("a log is read as it was written, and an older one by its columns' names", () => {
  const rows = [{ epoch: 1, train_loss: 2.5, test_accuracy: 0.25, lr: 1e-7 }, { epoch: 2, seconds: 3.5 }];
  assert.deepEqual(parseLog(formatLog(rows)), rows);
  const old = "epoch,test_accuracy,seconds,strange\n1,0.5,2.00,7\n2,,3,\n";
  assert.deepEqual(parseLog(old), [{ epoch: 1, test_accuracy: 0.5, seconds: 2 }, { epoch: 2, seconds: 3 }]);
  assert.deepEqual(parseLog(""), []);
});

Deno.test("the best epoch is the first of the highest test accuracy", () => {
  const log = [{ epoch: 1, test_accuracy: 0.5 }, { epoch: 2, test_accuracy: 0.75 }, {
    epoch: 3,
    test_accuracy: 0.75,
  }];
  assert.equal(bestEpoch(log)!.epoch, 2);
  assert.equal(bestEpoch([{ epoch: 1 }]), undefined);
});
