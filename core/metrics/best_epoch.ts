import { type LogRow, scoreOf } from "./log.ts";

/** The first epoch with the highest test accuracy, or mAP; undefined where none was tested. */
export function bestEpoch(log: readonly LogRow[]): LogRow | undefined {
  return log.reduce<LogRow | undefined>((best, row) => {
    const score = scoreOf(row);
    if (score === undefined) return best;
    return best === undefined || score > scoreOf(best)! ? row : best;
  }, undefined);
}
