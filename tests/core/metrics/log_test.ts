import assert from "node:assert/strict";
import { bestEpoch } from "../../../core/metrics/best_epoch.ts";
import { formatLog, parseLog } from "../../../core/metrics/log.ts";

Deno.test("a log is read as it was written, and an older one by its columns' names", () => {
  const rows = [{ epoch: 1, train_loss: 2.5, test_accuracy: 0.25, lr: 1e-7 }, { epoch: 2, seconds: 3.5 }];
  assert.deepEqual(parseLog(formatLog(rows), "log.csv"), rows);
  const old = "epoch,test_accuracy,seconds,strange\n1,0.5,2.00,7\n2,,3,\n";
  assert.deepEqual(parseLog(old, "log.csv"), [{ epoch: 1, test_accuracy: 0.5, seconds: 2 }, {
    epoch: 2,
    seconds: 3,
  }]);
  assert.deepEqual(parseLog("", "log.csv"), []);
});

Deno.test("losses that overflowed are written as Python, NumPy and pandas read them, and are read again", () => {
  const rows = [{ epoch: 1, train_loss: 1, test_loss: Infinity }, {
    epoch: 2,
    train_loss: -Infinity,
    test_loss: NaN,
  }];
  const csv = formatLog(rows);
  assert.match(csv, /^epoch,train_loss,test_loss,.*\n1,1,inf,.*\n2,-inf,nan,/);
  assert.deepEqual(parseLog(csv, "log.csv"), rows);
  // As older versions wrote them.
  const old = csv.replace("nan", "NaN").replaceAll("inf", "Infinity");
  assert.deepEqual(parseLog(old, "log.csv"), rows);
});

Deno.test("what is no log is told, with its line", () => {
  const cases: [string, RegExp][] = [
    ["epoch,lr\n1,0.1\n\n2,abc\n", /^log\.csv, line 4: lr is "abc", which is no number; mend it, or move/],
    ["epoch,lr\n1,0.1\n2\n", /^log\.csv, line 3: it has 1 cells, not the 2 of the first line/],
    ["epoch,lr\n1,0,1\n", /^log\.csv, line 2: it has 3 cells/],
    ["epoch,lr\n1,1e999\n", /^log\.csv, line 2: lr is "1e999"/],
    ["epoch,lr\nnan,1\n", /^log\.csv, line 2: epoch is "nan"/],
    ["lr;epoch\n1;2\n", /^log\.csv, line 1: no log of a run/],
  ];
  for (const [csv, message] of cases) {
    assert.throws(() => parseLog(csv, "log.csv"), { name: "UserError", message });
  }
});

Deno.test("the best epoch is the first of the highest test accuracy", () => {
  const log = [{ epoch: 1, test_accuracy: 0.5 }, { epoch: 2, test_accuracy: 0.75 }, {
    epoch: 3,
    test_accuracy: 0.75,
  }];
  assert.equal(bestEpoch(log)!.epoch, 2);
  assert.equal(bestEpoch([{ epoch: 1 }]), undefined);
});
