/** A run's log: a line an epoch, as CSV. Columns are found by name, so that logs of older runs are read too. */
import { oneLine, UserError } from "../errors.ts";

const GENERAL = ["epoch", "train_loss", "test_loss", "lr", "images_per_second", "data_wait", "seconds"];

/** All that there may be, in their order; of a task's figures a log has those of its own. */
const LOG_COLUMNS = [
  "epoch",
  "train_loss",
  "train_accuracy",
  "train_xy",
  "train_wh",
  "train_object",
  "train_noobject",
  "train_class",
  "test_loss",
  "test_accuracy",
  "test_top5",
  "test_map50",
  "test_map50_95",
  "test_xy",
  "test_wh",
  "test_object",
  "test_noobject",
  "test_class",
  "lr",
  "images_per_second",
  "data_wait",
  "seconds",
] as const;

export type LogColumn = (typeof LOG_COLUMNS)[number];

/**
 * One epoch: losses and their parts are means over samples; accuracies, top-5, mAP and data wait are shares (0 … 1). Unknown
 * ones are left out. What overflowed in a test, which ends no run, is NaN or infinite.
 */
export type LogRow = Readonly<Partial<Record<LogColumn, number>>>;

export function formatLog(rows: readonly LogRow[]): string {
  const columns = LOG_COLUMNS.filter((column) =>
    GENERAL.includes(column) || rows.some((row) => row[column] !== undefined)
  );
  const lines = rows.map((row) => columns.map((column) => cellOf(row[column])).join(","));
  return [columns.join(","), ...lines, ""].join("\n");
}

/** As Python, NumPy and pandas write and read what is not finite. */
const NOT_FINITE: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, "-inf": -Infinity };

function cellOf(value: number | undefined): string {
  if (value === undefined) return "";
  const name = Object.keys(NOT_FINITE).find((name) => Object.is(NOT_FINITE[name], value));
  return name ?? String(value);
}

/** Undefined where it is no number. Older versions wrote `NaN` and `Infinity`. */
function numberIn(cell: string): number | undefined {
  const name = cell.toLowerCase().replace("infinity", "inf");
  if (Object.hasOwn(NOT_FINITE, name)) return NOT_FINITE[name];
  return Number.isFinite(Number(cell)) ? Number(cell) : undefined;
}

/** What an epoch was best by: test accuracy, or a detector's mAP. Undefined where it was not tested. */
export function scoreOf({ test_accuracy, test_map50 }: LogRow): number | undefined {
  return test_map50 ?? test_accuracy;
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
      const value = numberIn(cell);
      if (value === undefined || (column === "epoch" && !Number.isFinite(value))) {
        throw damaged(number, `${column} is "${cell}", which is no number`);
      }
      return [[column, value] as const];
    });
    return Object.fromEntries(known);
  });
}
