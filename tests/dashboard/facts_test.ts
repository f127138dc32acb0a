import assert from "node:assert/strict";
import { shareDone } from "../../dashboard/facts.js";
import { boxesText } from "../../dashboard/boxes.js";
import { rate } from "../../dashboard/format.js";
import type { State } from "../../dashboard/protocol.ts";

Deno.test("the bar goes by steps, or by time where that ends the run earlier", () => {
  const run = { epochs: 4, steps: 10 } as State["run"];
  const share = (now: Partial<State["now"]>, phase: State["status"]["phase"] = "training") =>
    shareDone({
      run,
      status: { phase, text: "" },
      now: { epoch: 2, step: 5, seconds: 30, seconds_left: null, ...now } as State["now"],
    });
  assert.equal(share({}), 15 / 40);
  // Resumed: its clock knows nothing of the steps before.
  assert.equal(share({ seconds: 1, seconds_left: 9 }), 15 / 40);
  // --max-time or --max-steps.
  assert.equal(share({ seconds_left: 10 }), 3 / 4);
  assert.equal(share({}, "finished"), 1);
});

Deno.test("a learning rate is short enough for an axis, however small or large", () => {
  const numbers = [0, 0.001, 0.00065, 0.0001, 0.00003, 0.000001, 0.00000167, 28837.5, 123456789, null];
  assert.deepEqual(numbers.map(rate), [
    "0",
    "0.001",
    "0.00065",
    "0.0001",
    "3e-5",
    "1e-6",
    "1.67e-6",
    "28800",
    "1.23e+8",
    "–",
  ]);
});

Deno.test("boxes in words: how many of a class are there, and how sure each is that was found", () => {
  const box = [0, 0, 1, 1] as const;
  const there = [1, 0, 1, 1].map((label) => ({ box, label }));
  assert.equal(boxesText(["cat", "dog"], there), "3 × dog, cat");
  const found = [{ box, label: 1, score: 0.914 }, { box, label: 1, score: 0.3 }];
  assert.equal(boxesText(["cat", "dog"], found), "dog 91 %, dog 30 %");
  assert.equal(boxesText(["cat", "dog"], []), "nothing");
});
