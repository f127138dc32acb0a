// @ts-check
/** Numbers as people read them. */

const UNKNOWN = "–";

/** @param {number | null | undefined} share @param {number} [digits] */
export function percent(share, digits = 2) {
  return share == null ? UNKNOWN : `${(100 * share).toFixed(digits)} %`;
}

/** @param {number | null | undefined} value */
export function loss(value) {
  return value == null
    ? UNKNOWN
    : value.toPrecision(4).includes("e")
    ? value.toExponential(2)
    : value.toFixed(4);
}

/** Short enough for an axis: 0.001, 3e-5, 2e+6. @param {number | null | undefined} value */
export function rate(value) {
  if (value == null) return UNKNOWN;
  const short = Number(value.toPrecision(3));
  const size = Math.abs(short);
  return size === 0 || (size >= 1e-4 && size < 1e6) ? String(short) : short.toExponential();
}

/** @param {number | null | undefined} value */
export function speed(value) {
  return value == null ? UNKNOWN : whole(value < 10 ? Math.round(10 * value) / 10 : Math.round(value));
}

/** @param {number} value */
export function whole(value) {
  return value.toLocaleString("en-US");
}

/** `1:02:03`, `2:03` @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds == null) return UNKNOWN;
  const all = Math.round(seconds);
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  const tail = String(all % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
