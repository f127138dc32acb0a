import assert from "node:assert/strict";
import { describeExtras } from "../../cli/banner.ts";
import { resolveSettings } from "../../cli/settings/settings.ts";

Deno.test("the first lines of a run name what varies its images and how it differs", () => {
  assert.deepEqual(describeExtras(resolveSettings({})), []);
  const settings = resolveSettings({
    dataset: "cifar10",
    "lr-head": 0.0001,
    "label-smoothing": 0.1,
    "random-erase": 0.25,
    "rand-augment": [2, 9],
    "color-jitter": [0.4, 0.4, 0.4, 0],
    ema: true,
  });
  assert.deepEqual(describeExtras(settings), [
    "lr head 0.0001",
    "label smoothing 0.1",
    "random erase 0.25",
    "rand augment 2,9",
    "color jitter 0.4,0.4,0.4,0",
    "averaged weights (0.9998)",
  ]);
});
