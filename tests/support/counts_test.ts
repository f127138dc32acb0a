import { deepEqual, equal } from "node:assert/strict";
import { addCounts, countsOf, failuresOf, summary } from "./counts.ts";

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

Deno.test("failures are what stands after the last test", () => {
  const errors = " ERRORS \n\nb => ./b_test.ts:1:6\nerror: 1 !== 2\n\n FAILURES \n\nb => ./b_test.ts:1:6";
  const end = "FAILED | 1 passed | 1 failed (2ms)";
  const output = `a ... ok (1ms)\nb ... FAILED (1ms)\n\n\x1b[1m${
    errors.replace("\n", "\x1b[0m\n")
  }\n\n${end}\n\n`;
  equal(failuresOf(output, false), `${errors}\n\n${end}`);
  equal(failuresOf("a ... ok (1ms)\n\nok | 1 passed | 0 failed (1ms)\n", true), "");
});

Deno.test("of a run that dies the last lines are kept", () => {
  const lines = Array.from({ length: 50 }, (_, k) => `line ${k}`);
  equal(failuresOf(lines.join("\n") + "\n", false), lines.slice(10).join("\n"));
});
