/** Text for SVG files. */

export function escaped(text: string): string {
  return withoutControls(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Names of files and classes may have letters that XML has not, and a reader would refuse the whole picture for one. */
export function withoutControls(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.toWellFormed().replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
}

/** Widths of letters, in units of the font's size: those of DejaVu Sans, since other common sans-serif fonts have less. */
const WIDTHS: readonly (readonly [letters: RegExp, width: number])[] = [
  [/[iljtfrI.,:;'!|()[\]\s-]/, 0.42],
  [/[mwMW@%…]/, 1],
  [/[A-Z]/, 0.78],
  // From Chinese and its neighbours on, letters are squares.
  [/[\u{2e80}-\u{10ffff}]/u, 1.05],
];
const USUAL_WIDTH = 0.65;

/** How wide a text is at most, in units of the font's size. */
export function widthOf(text: string): number {
  return [...text].reduce((sum, letter) => {
    return sum + (WIDTHS.find(([letters]) => letters.test(letter))?.[1] ?? USUAL_WIDTH);
  }, 0);
}

/** The text, or its beginning and end with `…` between them, at most so wide: names differ at their ends. */
export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const letters = [...text];
  const keep = (count: number) =>
    [...letters.slice(0, Math.ceil(count / 2)), "…", ...letters.slice(letters.length - Math.floor(count / 2))]
      .join("");
  let count = letters.length - 1;
  while (count > 1 && widthOf(keep(count)) > width) count--;
  return keep(count);
}
