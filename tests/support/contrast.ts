/** How well one colour is read on another. */

/** Red, green, blue (0 … 255) and, where it is told, alpha, of `rgb(1, 2, 3)`, `rgba(1, 2, 3, 0.5)` or `#010203`. */
export function partsOf(colour: string): number[] {
  return colour.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
    : colour.match(/[\d.]+/g)!.map(Number);
}

/** WCAG's contrast of two colours, red, green and blue. */
export function contrast(a: readonly number[], b: readonly number[]): number {
  const luminance = (parts: readonly number[]) => {
    const [red, green, blue] = parts.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return high / low;
}
