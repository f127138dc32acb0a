/** The gradient to the filter of a 3 × 3 convolution with stride 1, by Winograd. */
import { address, draw, integer } from "./abi";
import { EDGE_BYTES, PITCH, TILE_ROWS, tiles, ZEROS } from "./gemm_micro";
import { transpose4, zeroFloats } from "./simd";
import {
  align,
  APART,
  EIGHT,
  filterGradTile,
  inputTile,
  makeTable,
  spreadTile,
  TABLE_BYTES,
  TEMP_BYTES,
} from "./winograd_tiles";
import { channelsOf, columnsOf, findInput, findOutput, tilesOf } from "./winograd_image";

/** The most tiles whose products are summed at a time, and how many such sums fit into a row of A. */
const STEPS: i32 = 100;
const PER_ROW: i32 = 3;

/**
 * Channels that lie together in `parts`, or all where there are fewer: the rows of a task's block then lie in few pages, so
 * that writing them is faster, and reading all places of a few rows is not slower.
 */
const TOGETHER: i32 = 64;

/** Bytes of `parts` for each place; see GRAD_TOGETHER in lower/winograd.ts. */
function placeBytesOf(out: i32, channels: i32): usize {
  const together = min(channels, TOGETHER);
  return (<usize> ((channels + together - 1) / together) * <usize> (out * together) << 2) + APART;
}

/** Tiles of each round of a chunk: as few rounds as there can be, and all alike. */
function stepsOf(chunk: i32): i32 {
  const rounds = (chunk + STEPS - 1) / STEPS;
  return ((chunk + rounds - 1) / rounds + 3) & ~3;
}

/**
 * parts[chunk][ξ][panel of 64 channels][out][channel] = Σ over the chunk's tiles of (A dy Aᵀ)[ξ][out] · (Bᵀ x B)[ξ][channel],
 * for each of the n² places ξ of a tile; `winogradSumFilter` makes the gradient of them. Arguments:
 *
 *     0 dy                  [N, OH, OW, out]
 *     1 x                   [N, H, W, channels]
 *     2 parts
 *     3 geometry            of the forward pass, see winograd_image.ts
 *     4 n                   side of a tile: 6 or 4
 *     5 tile                columns of a panel: 8 or 16
 *     6, 7                  rows (of out) and columns (channels) of a task, multiples of 8; columns of 5 too
 *     8 chunk               tiles of a chunk
 *     9 scratch, 10         and its bytes for each thread, see lower/winograd.ts
 *
 * A task goes through its chunk in rounds of few tiles: x becomes rows of B, dy rows of A, and their product is added to
 * the part.
 */
export function winogradGradFilter(args: usize, thread: i32): void {
  const dy = address(args, 0), x = address(args, 1), parts = address(args, 2), geometry = address(args, 3);
  const n = integer(args, 4),
    tile = integer(args, 5),
    taskRows = integer(args, 6),
    taskColumns = integer(args, 7);
  const chunk = integer(args, 8), m = n - 2, places = n * n;
  const channels = channelsOf(geometry), out = columnsOf(geometry), count = tilesOf(geometry);
  const aRows = (taskRows + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
  const slabBytes = <usize> aRows * PITCH * 4 + APART, panelBytes = <usize> (STEPS * tile) << 2;
  const panelsOfPlace = (taskColumns + tile - 1) / tile;
  const placeBytes = <usize> panelsOfPlace * panelBytes + APART, fourBytes = <usize> places * EIGHT;
  const together = min(channels, TOGETHER), lineBytes = <usize> together << 2;
  const sumBytes = placeBytesOf(out, channels), mostSteps = stepsOf(chunk);

  const temps = address(args, 9) + <usize> thread * <usize> integer(args, 10);
  const pixels = temps + TEMP_BYTES, aTable = pixels + 4 * TABLE_BYTES, bTable = aTable + TABLE_BYTES;
  const fourTable = bTable + TABLE_BYTES, rows = fourTable + TABLE_BYTES;
  const edge = rows + align(aRows), zeros = edge + EDGE_BYTES;
  const four = zeros + align(max(channels, out)), a = four + 4 * fourBytes;
  const b = a + <usize> ((places + PER_ROW - 1) / PER_ROW) * slabBytes;
  zeroFloats(zeros, max(channels, out));
  makeTable(bTable, places, b, placeBytes);
  makeTable(fourTable, places, four, EIGHT);
  for (let place = 0; place < places; place++) {
    const at = <usize> (place / PER_ROW) * slabBytes + <usize> (place % PER_ROW * STEPS) * 4;
    store<usize>(aTable + (<usize> place << 2), a + at);
  }

  const rowBlocks = (out + taskRows - 1) / taskRows,
    columnBlocks = (channels + taskColumns - 1) / taskColumns;
  const chunks = (count + chunk - 1) / chunk, tasks = chunks * rowBlocks * columnBlocks;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const firstColumn = (task % columnBlocks) * taskColumns,
      columnCount = min(taskColumns, channels - firstColumn);
    const firstRow = (task / columnBlocks % rowBlocks) * taskRows, rowCount = min(taskRows, out - firstRow);
    const part = task / (columnBlocks * rowBlocks), last = min((part + 1) * chunk, count);
    const top = parts + <usize> (part * places) * sumBytes + <usize> firstRow * lineBytes;
    makeTable(rows, rowCount, top, lineBytes);
    for (let start = part * chunk; start < last; start += mostSteps) {
      const steps = min(mostSteps, last - start);
      // Bᵀ x B into panels of B, a tile a row.
      for (let step = 0; step < steps; step++) {
        findInput(pixels, geometry, m, start + step, x, zeros);
        for (let c = 0; c < columnCount; c += 8) {
          const to = <usize> (c / tile) * panelBytes + (<usize> (step * tile + c % tile) << 2);
          inputTile(n, bTable, to, pixels, <usize> (firstColumn + c) << 2, temps);
        }
      }
      // A dy Aᵀ into columns of A, a tile a column: four tiles at a time, since four by four is how they are turned.
      for (let step = 0; step < steps; step += 4) {
        for (let i = 0; i < 4; i++) {
          const tile = step + i < steps ? start + step + i : count;
          findOutput(pixels + <usize> i * TABLE_BYTES, geometry, m, tile, dy, zeros);
        }
        for (let c = 0; c < rowCount; c += 8) {
          for (let i: usize = 0; i < 4; i++) {
            const from = pixels + i * TABLE_BYTES;
            spreadTile(n, fourTable, i * fourBytes, from, <usize> (firstRow + c) << 2, temps);
          }
          const at = (<usize> c * PITCH + <usize> step) << 2;
          for (let place = 0; place < places; place++) {
            const to = load<usize>(aTable + (<usize> place << 2)) + at, from = four + <usize> place * EIGHT;
            transpose4(to, PITCH * 4, from, fourBytes, 8);
          }
        }
      }
      // A · B of each place, added to what the rounds before made.
      for (let place = 0; place < places; place++) {
        const aTile = load<usize>(aTable + (<usize> place << 2));
        const toPlace = <usize> place * sumBytes;
        let panel = load<usize>(bTable + (<usize> place << 2));
        for (let j = 0; j < columnCount; j += tile, panel += panelBytes) {
          const column = firstColumn + j;
          const to = toPlace + <usize> (column / together * out) * lineBytes;
          const from: usize = start == part * chunk ? ZEROS : 0;
          tiles(
            tile,
            aTile,
            panel,
            steps,
            rows,
            rowCount,
            to + (<usize> (column % together) << 2),
            columnCount - j,
            from,
            edge,
          );
        }
      }
    }
  }
}

/** Rows of one task of `winogradSumFilter`. */
const SUM_ROWS: i32 = 4;

/**
 * dw [out, 3, 3, channels] = Gᵀ (Σ_chunks parts) G, with the parts of winogradGradFilter, added in order.
 * Arguments: parts, dw, n, chunks, out, channels, scratch, its bytes for each thread.
 */
export function winogradSumFilter(args: usize, thread: i32): void {
  const parts = address(args, 0), dw = address(args, 1), n = integer(args, 2), chunks = integer(args, 3);
  const out = integer(args, 4), channels = integer(args, 5), places = n * n;
  const temps = address(args, 6) + <usize> thread * <usize> integer(args, 7);
  const sources = temps + TEMP_BYTES, targets = sources + TABLE_BYTES, sums = targets + TABLE_BYTES;
  const placeBytes = placeBytesOf(out, channels), chunkBytes = <usize> places * placeBytes;
  const together = min(channels, TOGETHER), lineBytes = <usize> together << 2;
  const rowBlocks = (out + SUM_ROWS - 1) / SUM_ROWS;
  const tasks = rowBlocks * ((channels + together - 1) / together);
  makeTable(sources, places, sums, EIGHT);
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const panel = task / rowBlocks, first = (task % rowBlocks) * SUM_ROWS, last = min(first + SUM_ROWS, out);
    const firstChannel = panel * together, lastChannel = min(firstChannel + together, channels);
    for (let row = first; row < last; row++) {
      const from = parts + <usize> (panel * out + row) * lineBytes;
      makeTable(targets, 9, dw + ((<usize> row * 9 * <usize> channels) << 2), <usize> channels << 2);
      for (let c = firstChannel; c < lastChannel; c += 8) {
        for (let place = 0; place < places; place++) {
          let at = from + <usize> place * placeBytes + (<usize> (c - firstChannel) << 2);
          let low = v128.load(at), high = v128.load(at, 16);
          for (let chunk = 1; chunk < chunks; chunk++) {
            at += chunkBytes;
            low = f32x4.add(low, v128.load(at));
            high = f32x4.add(high, v128.load(at, 16));
          }
          v128.store(sums + <usize> place * EIGHT, low);
          v128.store(sums + <usize> place * EIGHT, high, 16);
        }
        filterGradTile(n, targets, <usize> c << 2, sources, 0, temps);
      }
    }
  }
}
