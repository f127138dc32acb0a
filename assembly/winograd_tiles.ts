/**
 * Winograd's transforms of whole tiles, eight channels at a time: down the columns, then along the rows.
 * n = m + 2 is a tile's side, 6 or 4. Sources and targets are tables of addresses, row after row, to which offsets are
 * added (see winograd_lines.ts); `temps` points at TEMP_BYTES of the thread's own for the intermediate square.
 */
import {
  Along,
  Down,
  EIGHT,
  filter4,
  filter6,
  filterGrad4,
  filterGrad6,
  input4,
  input6,
  output4,
  output6,
  spread4,
  spread6,
} from "./winograd_lines";

export { EIGHT };

/** Room for a table of 36 addresses. */
export const TABLE_BYTES: usize = 192;

/** Bytes of the intermediate square. */
export const TEMP_BYTES: usize = 36 * EIGHT;

/** Keeps the n² parts of many tiles out of each other's cache sets. */
export const APART: usize = 64;

/** Bytes of this many words, rounded up to cache lines. */
export function align(words: i32): usize {
  return (<usize> words * 4 + 63) & ~63;
}

/** A table of `count` addresses, `step` bytes apart. */
export function makeTable(table: usize, count: i32, first: usize, step: usize): void {
  for (let i = 0; i < count; i++, first += step) store<usize>(table + (<usize> i << 2), first);
}

/** n × n pixels → n × n: Bᵀ d B. */
export function inputTile(
  n: i32,
  targets: usize,
  to: usize,
  sources: usize,
  from: usize,
  temps: usize,
): void {
  if (n == 6) {
    input6<Down>(sources, from, temps);
    input6<Along>(targets, to, temps);
  } else {
    input4<Down>(sources, from, temps);
    input4<Along>(targets, to, temps);
  }
}

/** n × n products → m × m pixels: Aᵀ p A. */
export function outputTile(
  n: i32,
  targets: usize,
  to: usize,
  sources: usize,
  from: usize,
  temps: usize,
): void {
  if (n == 6) {
    output6<Down>(sources, from, temps);
    output6<Along>(targets, to, temps);
  } else {
    output4<Down>(sources, from, temps);
    output4<Along>(targets, to, temps);
  }
}

/** m × m pixels of dy → n × n: A dy Aᵀ. */
export function spreadTile(
  n: i32,
  targets: usize,
  to: usize,
  sources: usize,
  from: usize,
  temps: usize,
): void {
  if (n == 6) {
    spread6<Down>(sources, from, temps);
    spread6<Along>(targets, to, temps);
  } else {
    spread4<Down>(sources, from, temps);
    spread4<Along>(targets, to, temps);
  }
}

/** A filter, 3 × 3 → n × n: G g Gᵀ. */
export function filterTile(
  n: i32,
  targets: usize,
  to: usize,
  sources: usize,
  from: usize,
  temps: usize,
): void {
  if (n == 6) {
    filter6<Down>(sources, from, temps);
    filter6<Along>(targets, to, temps);
  } else {
    filter4<Down>(sources, from, temps);
    filter4<Along>(targets, to, temps);
  }
}

/** The way back, n × n → 3 × 3: Gᵀ u G. */
export function filterGradTile(
  n: i32,
  targets: usize,
  to: usize,
  sources: usize,
  from: usize,
  temps: usize,
): void {
  if (n == 6) {
    filterGrad6<Down>(sources, from, temps);
    filterGrad6<Along>(targets, to, temps);
  } else {
    filterGrad4<Down>(sources, from, temps);
    filterGrad4<Along>(targets, to, temps);
  }
}
