import assert from "node:assert/strict";
import type { Outcome, Score } from "../../peers/compare.ts";
import type { Workload } from "../../peers/protocol.ts";
import { outcomeText, summaryText, timesAsFast } from "../../peers/table.ts";

function score(
  contestant: string,
  version: string,
  milliseconds: number[],
  more: Partial<Score> = {},
): Score {
  const unknown = { cores: undefined, disturbance: undefined, peakBytes: undefined, plannedBytes: undefined };
  return { contestant, version, milliseconds, ...unknown, ...more };
}

const training: Workload = {
  device: "cpu",
  model: "resnet50",
  mode: "train",
  batch: 8,
  input: [3, 224, 224],
};
const wide = score("strata-256", "Strata", [2000, 4000, 2000], { cores: 1.987, peakBytes: 1400 * 2 ** 20 });
const narrow = score("strata-128", "Strata", [4000, 8000, 4000], { cores: 2, disturbance: 0.1 });
const torch = score("torch", "PyTorch 1.13", [2200, 4000, 1800], { peakBytes: 2 ** 31, disturbance: 0.26 });

Deno.test("ratios are of the same round, since the machine drifts from one to the next", () => {
  assert.equal(timesAsFast(wide, torch), 1);
  assert.equal(timesAsFast(wide, narrow), 2);
  const slow = score("x", "", [10, 100, 1000]), fast = score("y", "", [5, 50, 100]);
  assert.equal(timesAsFast(fast, slow), 2);
  assert.equal(timesAsFast(slow, fast), 0.5);
});

Deno.test("the table of a workload", () => {
  const failures = [{ contestant: "torch-other", reason: "was ended by SIGKILL" }];
  const text = outcomeText({ workload: training, scores: [wide, narrow, torch], failures }, {
    threads: 2,
    rounds: 3,
  });
  assert.deepEqual(text.split("\n"), [
    "resnet50, training, 3×224×224, batch 8, 2 threads, 3 rounds",
    "                            ms  spread  images/s  256-bit  128-bit  cores   MiB",
    "strata-256  Strata        2000  50.0 %     4.000     1.00     0.50   1.99  1400",
    "strata-128  Strata        4000  50.0 %     2.000     2.00     1.00   2.00     –",
    "torch       PyTorch 1.13  2200  50.0 %     3.636     1.00     0.50      –  2048",
    "torch-other failed: was ended by SIGKILL",
    "Other programs or machines took processors meanwhile: 0.26 from torch",
  ]);
});

Deno.test("the table over all workloads has those that ran", () => {
  const inference: Workload = { ...training, mode: "infer" };
  const node = score("onnxruntime-node", "1.30", [1000, 1000, 1000]);
  const outcomes: Outcome[] = [
    { workload: training, scores: [wide, narrow, torch], failures: [] },
    { workload: inference, scores: [wide, node], failures: [] },
  ];
  assert.deepEqual(summaryText(outcomes, ["torch", "onnxruntime-node", "tfjs"]).split("\n"), [
    "How many times as fast Strata is, in 256-bit | 128-bit mode",
    "                           torch  onnxruntime-node",
    "resnet50, training   1.00 | 0.50",
    "resnet50, inference                       0.50 | –",
  ]);
});

Deno.test("on a GPU Strata has one mode", () => {
  const workload: Workload = { ...training, device: "webgpu", batch: 64 };
  const scores = [score("strata-webgpu", "Strata", [100, 100, 100]), score("torch", "PyTorch", [50, 50, 50])];
  const outcome: Outcome = { workload, scores, failures: [] };
  assert.deepEqual(outcomeText(outcome, { threads: 2, rounds: 3 }).split("\n"), [
    "resnet50, training, 3×224×224, batch 64, on a GPU, 3 rounds",
    "                           ms  spread  images/s  strata  cores  MiB",
    "strata-webgpu  Strata   100.0   0.0 %     640.0    1.00      –    –",
    "torch          PyTorch  50.00   0.0 %      1280    0.50      –    –",
  ]);
  assert.deepEqual(summaryText([outcome], ["torch"]).split("\n"), [
    "How many times as fast Strata is",
    "                    torch",
    "resnet50, training   0.50",
  ]);
});
