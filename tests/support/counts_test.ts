import { deepEqual, equal } from "node:assert/strict";
import { addCounts, countsOf, summary } from "./counts.ts";

Deno.test("counts come from the closing line, coloured or not", () => {
  const line = "\x1b[31mFAILED\x1b[0m | 3 passed (5 steps) | 1 failed | 2 ignored | 4 filtered out (123ms)";
  deepEqual(countsOf(`a ... ok (1ms)\n\n${line}\n\n`, false), { passed: 3, failed: 1, skipped: 2 });
  deepEqual(countsOf("ok | 12 passed | 0 failed (1s)\n", true), { passed: 12, failed: 0, skipped: 0 });
});

Deno.test("what a test prints is not taken for the closing line", () => {
  const output = "ok | 99 passed | 0 failed (1s)\nthen\nok | 2 passed | 0 failed (1s)\n";
  deepEqual(countsOf(output, true), { passed: 2, failed: 0, skipped: 0 });
});

Deno.test("a run that dies without a closing line is a failure", () => {
  deepEqual(countsOf("", false), { passed: 0, failed: 1, skipped: 0 });
  deepEqual(countsOf("ok | 4 passed | 0 failed (1s)\n", false), { passed: 4, failed: 1, skipped: 0 });
});

Deno.test("the summary names skipped tests only where there are some", () => {
  equal(summary({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  equal(
    summary(addCounts({ passed: 3, failed: 0, skipped: 1 }, { passed: 1, failed: 2, skipped: 0 })),
    "4 passed, 2 failed, 1 skipped",
  );
});
