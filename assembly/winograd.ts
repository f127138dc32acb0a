/** 3 × 3 convolutions with stride 1 by Winograd's F(4×4, 3×3) and F(2×2, 3×3), forward and to the input. */
import { address, draw, integer } from "./abi";
import { finish } from "./epilogue";
import { DEPTH, EDGE_BYTES, PITCH, TILE_ROWS, tiles, ZEROS } from "./gemm_micro";
import { addFloats, transpose4, zeroFloats } from "./simd";
import {
  align,
  APART,
  filterTile,
  inputTile,
  makeTable,
  outputTile,
  TABLE_BYTES,
  TEMP_BYTES,
} from "./winograd_tiles";
import { channelsOf, columnsOf, findInput, findOutput, tilesOf } from "./winograd_image";

/** Steps of K of one task of `winogradFilters`. */
const FILTER_STEPS: i32 = 16;

/**
 * Filters into panels of B: U[ξ] = (G g Gᵀ)[ξ] for each of the n² places ξ of a tile, as [ξ][panel][k][tile]. Arguments:
 *
 *     0 weight, 1 panels    addresses
 *     2 n                   side of a tile: 6 or 4
 *     3 tile                columns of a panel: 8 or 16
 *     4 columns, 5 k        channels that the product makes, and channels that it sums over
 *     6, 7, 8               floats of the weights between columns, between channels of k (one of the two is 1), between taps
 *     9 turned              1 where taps are turned round, as for the gradient to the input; else 0
 *     10 scratch, 11        and its bytes for each thread, see lower/winograd.ts
 */
export function winogradFilters(args: usize, thread: i32): void {
  const weight = address(args, 0), panels = address(args, 1), n = integer(args, 2), tile = integer(args, 3);
  const columns = integer(args, 4), k = integer(args, 5), columnPitch = <usize> integer(args, 6) << 2;
  const channelPitch = <usize> integer(args, 7) << 2, tapPitch = <usize> integer(args, 8) << 2;
  const turned = integer(args, 9) != 0;
  const temps = address(args, 10) + <usize> thread * <usize> integer(args, 11);
  const sources = temps + TEMP_BYTES, targets = sources + TABLE_BYTES, own = targets + TABLE_BYTES;
  const rowBytes = <usize> tile << 2, panelBytes = <usize> k * rowBytes, places = n * n;
  const panelsOfPlace = (columns + tile - 1) / tile, placeBytes = <usize> panelsOfPlace * panelBytes;
  const blocks = (k + FILTER_STEPS - 1) / FILTER_STEPS, tasks = panelsOfPlace * blocks;
  const tapBytes = <usize> FILTER_STEPS * rowBytes, lie = columnPitch == 4;
  const stepBytes = lie ? channelPitch : rowBytes;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const first = (task / blocks) * tile, width = min(tile, columns - first);
    const start = (task % blocks) * FILTER_STEPS, steps = min(FILTER_STEPS, k - start);
    const origin = weight + <usize> first * columnPitch + <usize> start * channelPitch;
    for (let tap: usize = 0; tap < 9; tap++) {
      const from = origin + (turned ? <usize> 8 - tap : tap) * tapPitch, to = own + tap * tapBytes;
      store<usize>(sources + (tap << 2), lie ? from : to);
      if (!lie) turn(to, rowBytes, from, columnPitch, steps, width);
    }
    const to = panels + <usize> (first / tile) * panelBytes + <usize> start * rowBytes;
    makeTable(targets, places, to, placeBytes);
    for (let step = 0; step < steps; step++) {
      for (let column = 0; column < tile; column += 8) {
        const at = <usize> step * rowBytes + (<usize> column << 2);
        if (column < width) {
          filterTile(n, targets, at, sources, <usize> step * stepBytes + (<usize> column << 2), temps);
        } else {
          for (let place = 0; place < places; place++) zeroFloats(to + <usize> place * placeBytes + at, 8);
        }
      }
    }
  }
}

/** Rows to columns; steps and width are multiples of 4. */
function turn(to: usize, toPitch: usize, from: usize, fromPitch: usize, steps: i32, width: i32): void {
  for (let i = 0; i < width; i += 4) {
    transpose4(to + (<usize> i << 2), toPitch, from + <usize> i * fromPitch, fromPitch, steps);
  }
}

/** Columns that are multiplied and transformed back at a time. */
const COLUMNS: i32 = 64;

/** Bytes of the parts of A that `placeTable` describes, of `rows` tiles each: every place's blocks of K. */
function slabBytesOf(rows: i32): usize {
  return <usize> rows * PITCH * 4 + APART;
}

/** How many such parts there are: several places share a row of A where channels are few. */
function slabsOf(places: i32, channels: i32, depth: i32): i32 {
  const slots = places * ((channels + depth - 1) / depth), perRow = DEPTH / depth;
  return (slots + perRow - 1) / perRow;
}

/** Where in A the block of K of each place begins: entry block · places + place. */
function makePlaceTable(table: usize, places: i32, channels: i32, depth: i32, slabBytes: usize): void {
  const slots = places * ((channels + depth - 1) / depth), perRow = DEPTH / depth;
  for (let slot = 0; slot < slots; slot++) {
    const at = <usize> (slot % perRow) * <usize> depth * 4;
    store<usize>(table + (<usize> slot << 2), <usize> (slot / perRow) * slabBytes + at);
  }
}

/**
 * V[ξ] = (Bᵀ d B)[ξ] of the tiles `first` … `first + count − 1`, into rows `row` … of A for each of the n² places ξ. Tiles
 * behind the last one are zeros.
 */
function transformTiles(
  geometry: usize,
  n: i32,
  depth: i32,
  x: usize,
  first: i32,
  count: i32,
  a: usize,
  row: i32,
  placeTable: usize,
  pixels: usize,
  zeros: usize,
  temps: usize,
): void {
  const channels = channelsOf(geometry), placeBytes = <usize> (n * n) << 2;
  for (let i = 0; i < count; i++) {
    findInput(pixels, geometry, n - 2, first + i, x, zeros);
    const line = a + <usize> (row + i) * PITCH * 4;
    for (let c = 0; c < channels; c += 8) {
      const targets = placeTable + <usize> (c / depth) * placeBytes;
      inputTile(n, targets, line + (<usize> (c % depth) << 2), pixels, <usize> c << 2, temps);
    }
  }
}

/**
 * All tiles as rows of A, for tasks of `winograd` that share them. Arguments: x [N, H, W, C], A, geometry
 * (winograd_image.ts), n, steps of K at a time, tiles of a block of A, scratch, its bytes for each thread.
 */
export function winogradTiles(args: usize, thread: i32): void {
  const x = address(args, 0), a = address(args, 1), geometry = address(args, 2), n = integer(args, 3);
  const depth = integer(args, 4), rows = integer(args, 5), places = n * n, channels = channelsOf(geometry);
  const slabBytes = slabBytesOf(rows);
  const blockBytes = <usize> slabsOf(places, channels, depth) * slabBytes;
  const temps = address(args, 6) + <usize> thread * <usize> integer(args, 7);
  const pixels = temps + TEMP_BYTES, zeros = pixels + TABLE_BYTES, placeTable = zeros + align(channels);
  zeroFloats(zeros, channels);
  makePlaceTable(placeTable, places, channels, depth, slabBytes);
  const tasks = (tilesOf(geometry) + TILE_ROWS - 1) / TILE_ROWS, tasksOfBlock = rows / TILE_ROWS;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const block = a + <usize> (task / tasksOfBlock) * blockBytes, row = (task % tasksOfBlock) * TILE_ROWS;
    const first = task * TILE_ROWS;
    transformTiles(geometry, n, depth, x, first, TILE_ROWS, block, row, placeTable, pixels, zeros, temps);
  }
}

/**
 * y [N, OH, OW, columns] = conv(x [N, H, W, channels], weight) (+ bias), as n² products of [tiles × channels] · [channels ×
 * columns]: Y = Aᵀ [Σ_channels U ⊙ V] A with the U of winogradFilters and the V of transformTiles. A task transforms a
 * block of tiles, as rows of A for each of the n² places, multiplies 64 columns with each place, transforms these back, and
 * goes on to the next 64. Where the transformed tiles of even a small block fill the cache, `winogradTiles` has transformed
 * all of them, and tasks take larger blocks, so that they read the panels less often. Arguments:
 *
 *     0 x
 *     1 panels              of winogradFilters
 *     2 bias                or 0
 *     3 y
 *     4 geometry            see winograd_image.ts
 *     5 n                   side of a tile: 6 or 4
 *     6 tile                columns of a panel: 8 or 16
 *     7 depth               steps of K at a time, a multiple of 8
 *     8, 9                  tiles (a multiple of 6) and columns (a multiple of 64) of a task
 *     10 scratch, 11        and its bytes for each thread, see lower/winograd.ts
 *     12 epilogue           or 0, see epilogue.ts
 *     13 A                  of winogradTiles, or 0
 */
export function winograd(args: usize, thread: i32): void {
  const x = address(args, 0), panels = address(args, 1), bias = address(args, 2), y = address(args, 3);
  const geometry = address(args, 4), n = integer(args, 5), tile = integer(args, 6), depth = integer(args, 7);
  const epilogue = address(args, 12), shared = address(args, 13);
  const taskRows = integer(args, 8), taskColumns = integer(args, 9), m = n - 2, places = n * n;
  const channels = channelsOf(geometry), columns = columnsOf(geometry), count = tilesOf(geometry);
  const blocks = (channels + depth - 1) / depth;
  const slabBytes = slabBytesOf(taskRows), slabs = slabsOf(places, channels, depth);
  const productBytes = <usize> taskRows * <usize> COLUMNS * 4 + APART;

  const temps = address(args, 10) + <usize> thread * <usize> integer(args, 11);
  const pixels = temps + TEMP_BYTES, sources = pixels + TABLE_BYTES, placeTable = sources + TABLE_BYTES;
  const rows = placeTable + align(places * blocks), edge = rows + align(taskRows), zeros = edge + EDGE_BYTES;
  const nowhere = zeros + align(channels);
  const products = nowhere + align(columns), own = products + <usize> places * productBytes;
  zeroFloats(zeros, channels);
  makePlaceTable(placeTable, places, channels, depth, slabBytes);
  makeTable(sources, places, products, productBytes);
  makeTable(rows, taskRows, products, <usize> COLUMNS * 4);

  const panelsOfPlace = (columns + tile - 1) / tile, stepBytes = <usize> tile << 2;
  const rowBlocks = (count + taskRows - 1) / taskRows,
    columnBlocks = (columns + taskColumns - 1) / taskColumns;
  const tasks = rowBlocks * columnBlocks;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const rowBlock = task / columnBlocks, first = rowBlock * taskRows;
    const rowCount = min(taskRows, count - first);
    const rowsUp = (rowCount + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
    const a = shared ? shared + <usize> rowBlock * <usize> slabs * slabBytes : own;
    if (!shared) {
      transformTiles(geometry, n, depth, x, first, rowsUp, a, 0, placeTable, pixels, zeros, temps);
    }
    const start = (task % columnBlocks) * taskColumns, end = min(start + taskColumns, columns);
    for (let column = start; column < end; column += COLUMNS) {
      const width = min(COLUMNS, end - column);
      // The products of all places.
      for (let place = 0; place < places; place++) {
        for (let block = 0; block < blocks; block++) {
          const steps = min(depth, channels - block * depth);
          const aTile = a + load<usize>(placeTable + (<usize> (block * places + place) << 2));
          let panel = <usize> (place * panelsOfPlace + column / tile) * <usize> channels;
          panel += <usize> (block * depth);
          for (let j = 0; j < width; j += tile) {
            const b = panels + panel * stepBytes, offset = <usize> place * productBytes + (<usize> j << 2);
            tiles(tile, aTile, b, steps, rows, rowsUp, offset, tile, block == 0 ? ZEROS : 0, edge);
            panel += <usize> channels;
          }
        }
      }
      // Back into pixels, and what is left to do to these.
      for (let row = 0; row < rowCount; row++) {
        findOutput(pixels, geometry, m, first + row, y, nowhere);
        for (let j = 0; j < width; j += 8) {
          const to = <usize> (column + j) << 2, from = <usize> (row * COLUMNS + j) << 2;
          outputTile(n, pixels, to, sources, from, temps);
        }
        if (!bias && !epilogue) continue;
        for (let pixel = 0; pixel < m * m; pixel++) {
          const start = load<usize>(pixels + (<usize> pixel << 2)), to = start + (<usize> column << 2);
          if (start == nowhere) continue;
          if (bias) addFloats(to, bias + (<usize> column << 2), width);
          if (epilogue) finish(epilogue, to, to, column, width);
        }
      }
    }
  }
}
