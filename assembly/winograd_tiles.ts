/**
 * Winograd's transforms of whole tiles, eight channels at a time: down the columns, then along the rows.
 * n = m + 2 is a tile's side, 6 or 4. Sources and targets are tables of addresses, row after row (see winograd_lines.ts);
 * `temps` is the table of a 6 × 6 tile in between, made by `makeTemps`.
 */
import {
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

/** Bytes of eight floats. */
export const EIGHT: usize = 32;

/** Room for a table of 36 addresses. */
export const TABLE_BYTES: usize = 192;

/** Bytes that `makeTemps` takes: the table, then the tile. */
export const TEMP_BYTES: usize = TABLE_BYTES + 36 * EIGHT;

/** Keeps the n² parts of many tiles out of each other's cache sets. */
export const APART: usize = 64;

/** Bytes of so many words, rounded up to cache lines. */
export function align(words: i32): usize {
  return (<usize> words * 4 + 63) & ~63;
}

/** Makes a table of a tile in memory of its own, behind it. */
export function makeTemps(temps: usize): void {
  makeTable(temps, 36, temps + TABLE_BYTES, EIGHT);
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
    for (let j: usize = 0; j < 24; j += 4) input6(temps + j, 24, 0, sources + j, 24, from);
    for (let i: usize = 0; i < 6; i++) input6(targets + 24 * i, 4, to, temps + 24 * i, 4, 0);
  } else {
    for (let j: usize = 0; j < 16; j += 4) input4(temps + j, 24, 0, sources + j, 16, from);
    for (let i: usize = 0; i < 4; i++) input4(targets + 16 * i, 4, to, temps + 24 * i, 4, 0);
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
    for (let j: usize = 0; j < 24; j += 4) output6(temps + j, 24, 0, sources + j, 24, from);
    for (let i: usize = 0; i < 4; i++) output6(targets + 16 * i, 4, to, temps + 24 * i, 4, 0);
  } else {
    for (let j: usize = 0; j < 16; j += 4) output4(temps + j, 24, 0, sources + j, 16, from);
    for (let i: usize = 0; i < 2; i++) output4(targets + 8 * i, 4, to, temps + 24 * i, 4, 0);
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
    for (let j: usize = 0; j < 16; j += 4) spread6(temps + j, 24, 0, sources + j, 16, from);
    for (let i: usize = 0; i < 6; i++) spread6(targets + 24 * i, 4, to, temps + 24 * i, 4, 0);
  } else {
    for (let j: usize = 0; j < 8; j += 4) spread4(temps + j, 24, 0, sources + j, 8, from);
    for (let i: usize = 0; i < 4; i++) spread4(targets + 16 * i, 4, to, temps + 24 * i, 4, 0);
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
    for (let j: usize = 0; j < 12; j += 4) filter6(temps + j, 24, 0, sources + j, 12, from);
    for (let i: usize = 0; i < 6; i++) filter6(targets + 24 * i, 4, to, temps + 24 * i, 4, 0);
  } else {
    for (let j: usize = 0; j < 12; j += 4) filter4(temps + j, 24, 0, sources + j, 12, from);
    for (let i: usize = 0; i < 4; i++) filter4(targets + 16 * i, 4, to, temps + 24 * i, 4, 0);
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
    for (let j: usize = 0; j < 24; j += 4) filterGrad6(temps + j, 24, 0, sources + j, 24, from);
    for (let i: usize = 0; i < 3; i++) filterGrad6(targets + 12 * i, 4, to, temps + 24 * i, 4, 0);
  } else {
    for (let j: usize = 0; j < 16; j += 4) filterGrad4(temps + j, 24, 0, sources + j, 16, from);
    for (let i: usize = 0; i < 3; i++) filterGrad4(targets + 12 * i, 4, to, temps + 24 * i, 4, 0);
  }
}
