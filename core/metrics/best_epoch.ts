import type { LogRow } from "./log.ts";

/** The first epoch with the highest test accuracy; undefined where none was tested. */
export function bestEpoch(log: readonly LogRow[]): LogRow | undefined {
  return log.reduce<LogRow | undefined>((best, row) => {
    if (row.test_accuracy === undefined) return best;
    return best === undefined || row.test_accuracy > best.test_accuracy! ? row : best;
  }, undefined);
}
