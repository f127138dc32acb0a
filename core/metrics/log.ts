/** A run's log: a line an epoch, as CSV. Columns are found by name, so that logs of older runs are read too. */

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

/** Cells that are empty or no number are left out, and so are columns that nobody knows. */
export function parseLog(csv: string): LogRow[] {
  const [header = "", ...lines] = csv.split("\n").filter((line) => line.trim() !== "");
  const names = header.split(",").map((name) => name.trim());
  return lines.map((line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    const known = LOG_COLUMNS.flatMap((column) => {
      const cell = cells[names.indexOf(column)];
      const value = cell === undefined || cell === "" ? NaN : Number(cell);
      return Number.isFinite(value) ? [[column, value] as const] : [];
    });
    return Object.fromEntries(known);
  });
}
