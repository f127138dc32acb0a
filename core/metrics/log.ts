/** A run's log: a line an epoch, as CSV. Columns are found by name, so that logs of older runs are read too. */
import { oneLine, UserError } from "../errors.ts";

export const LOG_COLUMNS = [
  "epoch",
  "train_loss",
  "train_accuracy",
  "test_loss",
  "test_accuracy",
  "test_top5",
  "lr",
  "images_per_second",
  "data_wait",
  "seconds",
] as const;

export type LogColumn = (typeof LOG_COLUMNS)[number];

/** One epoch: losses are means over samples; accuracies, top-5 and data wait are shares (0 … 1). Unknown ones are left out. */
export type LogRow = Readonly<Partial<Record<LogColumn, number>>>;

export function formatLog(rows: readonly LogRow[]): string {
  const lines = rows.map((row) => LOG_COLUMNS.map((column) => row[column] ?? "").join(","));
  return [LOG_COLUMNS.join(","), ...lines, ""].join("\n");
}

/**
 * Empty cells are left out, and so are columns that nobody knows. `file` is what errors call it. Throws `UserError`, with
 * the line, where it is no log: whoever goes on with the run would write over it.
 */
export function parseLog(csv: string, file: string): LogRow[] {
  const [header, ...lines] = csv.split("\n").map((text, i) => ({ text: text.trim(), number: i + 1 }))
    .filter(({ text }) => text !== "");
  if (!header) return [];
  const damaged = (line: number, what: string) =>
    new UserError(oneLine(`${file}, line ${line}: ${what}; mend it, or move the file away`));
  const names = header.text.split(",").map((name) => name.trim());
  if (!names.includes("epoch")) throw damaged(header.number, "no log of a run: there is no column epoch");
  return lines.map(({ text, number }) => {
    const cells = text.split(",").map((cell) => cell.trim());
    if (cells.length !== names.length) {
      throw damaged(number, `it has ${cells.length} cells, not the ${names.length} of the first line`);
    }
    const known = LOG_COLUMNS.flatMap((column) => {
      const cell = cells[names.indexOf(column)] ?? "";
      if (cell === "") return [];
      if (!Number.isFinite(Number(cell))) throw damaged(number, `${column} is "${cell}", which is no number`);
      return [[column, Number(cell)] as const];
    });
    return Object.fromEntries(known);
  });
}
