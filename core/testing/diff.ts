/** Lines that differ between two texts. */

/** Unchanged lines that are shown around a change. */
const CONTEXT = 2;

/** `- line` for what only `before` has, `+ line` for what only `after` has, a few lines around them, `…` for the rest. */
export function diffLines(before: readonly string[], after: readonly string[]): string[] {
  const edits = editsBetween(before, after);
  const near = (index: number) =>
    edits.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(([sign]) => sign !== " ");
  const lines: string[] = [];
  edits.forEach(([sign, line], index) => {
    if (near(index)) lines.push(`${sign} ${line}`);
    else if (lines.at(-1) !== "…") lines.push("…");
  });
  return lines;
}

type Edit = readonly [sign: " " | "-" | "+", line: string];

/** By the longest common subsequence. */
function editsBetween(before: readonly string[], after: readonly string[]): Edit[] {
  // common[i][j]: its length for the lines from i of one and from j of the other.
  const common = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i]![j] = before[i] === after[j]
        ? common[i + 1]![j + 1]! + 1
        : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
    }
  }
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) edits.push([" ", before[i++]!]), j++;
    else if (common[i + 1]![j]! >= common[i]![j + 1]!) edits.push(["-", before[i++]!]);
    else edits.push(["+", after[j++]!]);
  }
  while (i < before.length) edits.push(["-", before[i++]!]);
  while (j < after.length) edits.push(["+", after[j++]!]);
  return edits;
}
