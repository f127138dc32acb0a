/** How many tests passed, read from what `deno test` prints. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts from the closing line, such as `FAILED | 3 passed (5 steps) | 1 failed | 2 ignored (123ms)`. A run that fails
 * without one (its modules do not compile, or there are none) counts as one failure.
 */
export function countsOf(output: string, success: boolean): Counts {
  const lines = withoutColour(output).match(/^(ok|FAILED) \| \d+ passed.*$/gm);
  const line = lines?.at(-1) ?? "";
  const count = (word: string) => Number(line.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  const failed = count("failed");
  return {
    passed: count("passed"),
    failed: success ? failed : Math.max(1, failed),
    skipped: count("ignored"),
  };
}

/**
 * What `deno test` says of its failures after the last test, "" where none failed. Of a run that fails without saying
 * so (see `countsOf`): its last 40 lines.
 */
export function failuresOf(output: string, success: boolean): string {
  if (success) return "";
  const lines = withoutColour(output).trimEnd().split("\n");
  const errors = lines.lastIndexOf(" ERRORS ");
  return lines.slice(errors >= 0 ? errors : -40).join("\n");
}

function withoutColour(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/\x1b\[[0-9;]*m/g, "");
}

export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** `12 passed, 0 failed`, with `, 1 skipped` where there are any. */
export function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;
}
