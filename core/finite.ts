/** Whether numbers are numbers: neither NaN nor infinite. */
import { UserError } from "./errors.ts";

export function hasOnlyFinite(numbers: ArrayLike<number>): boolean {
  // A sum is finite only if all terms are, unless it overflows, which needs a second look.
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i]!;
  if (Number.isFinite(sum)) return true;
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false;
  return true;
}

/** Throws `UserError` where a file's tensor is not finite: a network with such weights answers nothing of worth. */
export function checkFinite(name: string, numbers: ArrayLike<number>, file: string): void {
  if (hasOnlyFinite(numbers)) return;
  const at = Array.from(numbers).findIndex((value) => !Number.isFinite(value));
  throw new UserError(
    `${file}: number ${at} of ${numbers.length} in ${name} is ${numbers[at]}: these weights are damaged; ` +
      "get the file again, or take an earlier one",
  );
}
