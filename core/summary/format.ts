/** Numbers and shapes as summaries write them. */
import type { Shape } from "../shape.ts";

/** `57,044,810` */
export function commas(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 class`, `1,024 classes`; without a plural of its own the word gets an s. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${commas(number)} ${number === 1 ? one : many}`;
}

/** Two decimals, as Python's `%.2f` rounds: a tie goes to the even digit, where JavaScript goes up. */
export function twoDecimals(number: number): string {
  const isTie = Number.isInteger(number * 8) && Math.abs(number * 200) % 2 === 1;
  if (!isTie) return number.toFixed(2);
  const below = Math.floor(number * 100);
  return ((below % 2 === 0 ? below : below + 1) / 100).toFixed(2);
}

/** `64×112×112` */
export function times(shape: Shape): string {
  return shape.join("×");
}

/** `4.09 G` of 4089184256 */
export function short(number: number): string {
  const units = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const;
  for (const [size, unit] of units) if (number >= size) return `${(number / size).toPrecision(3)} ${unit}`;
  return String(number);
}

/** Letters that take two places on a terminal: Chinese, Japanese and Korean ones, their full-width signs, emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\p{Emoji_Presentation}]/u;
/** Letters that take none, such as accents that are written behind their letter. */
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Places that a text takes on a terminal. */
function placesOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + (NONE.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1), 0);
}

/** Columns of text under each other, two spaces apart. `right` lists the columns that end flush. */
export function alignColumns(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => placesOf(row[column]!))));
  return rows.map((row) =>
    row.map((cell, column) => {
      const space = " ".repeat(widths[column]! - placesOf(cell));
      return right.has(column) ? space + cell : cell + space;
    }).join("  ").trimEnd()
  );
}
