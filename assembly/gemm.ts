/** Matrix products of convolutions and linear layers, forward and towards the input. */
import { address, draw, integer } from "./abi";
import { finish } from "./epilogue";
import { channelsOf, gatherRow, gridColumns, gridRows, imageBytes } from "./gemm_gather";
import { blockDepth, DEPTH, EDGE_BYTES, PITCH, TILE_ROWS, tiles, ZEROS } from "./gemm_micro";
import { gatherPanels, packBlock, packTransposed } from "./gemm_panels";
import { micro6x16, micro6x8 } from "./gemm_tiles";
import { zeroFloats } from "./simd";

/**
 * Packs weights into panels of B, [group][panel][k][tile]; see gemm_panels.ts. Arguments: weight, panels, weight table, tile,
 * groups (merged ones), columns and k of a group, steps of k and columns of a task (a multiple of the tile).
 */
export function packPanels(args: usize, thread: i32): void {
  const weight = address(args, 0),
    panels = address(args, 1),
    table = address(args, 2),
    tile = integer(args, 3);
  const groups = integer(args, 4), columns = integer(args, 5), k = integer(args, 6);
  const taskDepth = integer(args, 7), taskColumns = integer(args, 8);
  const rowBytes = <usize> tile << 2,
    panelBytes = <usize> k * rowBytes,
    panelsOfGroup = (columns + tile - 1) / tile;
  const depthBlocks = (k + taskDepth - 1) / taskDepth,
    columnBlocks = (columns + taskColumns - 1) / taskColumns;
  const tasks = groups * columnBlocks * depthBlocks;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const start = (task % depthBlocks) * taskDepth, end = min(start + taskDepth, k);
    const first = (task / depthBlocks % columnBlocks) * taskColumns, last = min(first + taskColumns, columns);
    const group = task / (depthBlocks * columnBlocks);
    const to = panels + <usize> (group * panelsOfGroup + first / tile) * panelBytes +
      <usize> start * rowBytes;
    packBlock(to, panelBytes, tile, weight, table, group, start, end, first, last);
  }
}

/**
 * C[m][column] = Σ_k A[m][k] · B[k][column] (+ bias[column]): A is gathered from an image (gemm_gather.ts), B is weights,
 * C's rows are pixels of a grid. Arguments: x, B's panels or the weights themselves, weight table (0 for panels), bias (or 0),
 * y, geometry, tile, groups (merged ones), m, columns and k of a group, y's floats from image to image, from grid row to grid
 * row and from grid column to grid column, rows and columns of a task, rows of a block of A, scratch, its bytes for each
 * thread: blockRows · PITCH · 4 + taskRows · 16 + EDGE_BYTES, and for unpacked weights + DEPTH · taskColumns · 4, epilogue (or 0;
 * see epilogue.ts), floats from row to row of A where they can be read in place: where row r is pixel r of x (or 0).
 * x and y have their channels group after group; taskRows and blockRows are multiples of 6, taskColumns of the tile.
 *
 * Few rows are one task that packs the weights it needs, block by block, on its way, so that they never leave the cache.
 * Many rows are many tasks, which share weights that `packPanels` has packed.
 */
export function gemm(args: usize, thread: i32): void {
  const x = address(args, 0), weight = address(args, 1), table = address(args, 2), bias = address(args, 3);
  const y = address(args, 4), geometry = address(args, 5), tile = integer(args, 6), groups = integer(args, 7);
  const m = integer(args, 8), columns = integer(args, 9), k = integer(args, 10);
  const taskRows = integer(args, 14), taskColumns = integer(args, 15), blockRows = integer(args, 16);
  const a = address(args, 17) + <usize> thread * <usize> integer(args, 18);
  const rows = a + <usize> blockRows * PITCH * 4, sources = rows + <usize> taskRows * 4;
  const edge = sources + <usize> taskRows * 12, ownPanels = edge + EDGE_BYTES;
  const epilogue = address(args, 19), linePitch = <usize> integer(args, 20) << 2;
  const panelsOfGroup = (columns + tile - 1) / tile, rowBytes = <usize> tile << 2;
  const rowBlocks = (m + taskRows - 1) / taskRows, columnBlocks = (columns + taskColumns - 1) / taskColumns;
  const tasks = rowBlocks * columnBlocks * groups, depth = blockDepth(k);
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const group = task / (rowBlocks * columnBlocks);
    const firstRow = (task % rowBlocks) * taskRows, rowCount = min(taskRows, m - firstRow);
    const first = ((task / rowBlocks) % columnBlocks) * taskColumns, last = min(first + taskColumns, columns);
    findRows(args, rows, sources, group, firstRow, rowCount);
    const image = x + (<usize> (group * channelsOf(geometry)) << 2);
    const whole = linePitch ? rowCount - rowCount % TILE_ROWS : 0;
    const ownBias = bias ? bias + (<usize> (group * columns) << 2) : 0;
    for (let start = 0; start == 0 || start < k; start += depth) {
      const end = min(start + depth, k);
      let panels = ownPanels, panelBytes = <usize> (end - start) * rowBytes;
      if (table) {
        packBlock(panels, panelBytes, tile, weight, table, group, start, end, first, last);
      } else {
        panelBytes = <usize> k * rowBytes;
        panels = weight + <usize> (group * panelsOfGroup + first / tile) * panelBytes +
          <usize> start * rowBytes;
      }
      for (let block = 0, count = 0; block < rowCount; block += count) {
        const inPlace = block < whole;
        count = min(blockRows, (inPlace ? whole : rowCount) - block);
        let from = a, pitch: usize = PITCH * 4;
        if (inPlace) {
          from = image + <usize> (firstRow + block) * linePitch + (<usize> start << 2);
          pitch = linePitch;
        } else {
          gatherBlock(a, geometry, sources + <usize> block * 12, count, start, end);
        }
        let b = panels;
        for (let column = first; column < last; column += tile, b += panelBytes) {
          const offset = <usize> column << 2;
          let initial: usize = 0;
          if (start == 0) initial = bias ? ownBias + offset : ZEROS;
          const addresses = rows + (<usize> block << 2);
          tiles(tile, from, b, end - start, addresses, count, offset, columns - column, initial, edge, pitch);
        }
        if (epilogue && end >= k) {
          for (let row = block; row < block + count; row++) {
            const at = load<usize>(rows + (<usize> row << 2)) + (<usize> first << 2);
            finish(epilogue, at, at, group * columns + first, last - first);
          }
        }
      }
    }
  }
}

/** Steps `start` … `end − 1` of `count` rows into A, with rows of zeros up to a whole tile. */
function gatherBlock(a: usize, geometry: usize, sources: usize, count: i32, start: i32, end: i32): void {
  for (let row = 0; row < count; row++) {
    const source = sources + <usize> row * 12, to = a + <usize> row * PITCH * 4;
    gatherRow(to, geometry, load<usize>(source), load<i32>(source, 4), load<i32>(source, 8), start, end);
  }
  for (let row = count; row % TILE_ROWS != 0; row++) zeroFloats(a + <usize> row * PITCH * 4, end - start);
}

/** Where a task's rows of C are, and from which image and grid pixel their rows of A come: three words each. */
function findRows(args: usize, rows: usize, sources: usize, group: i32, firstRow: i32, count: i32): void {
  const geometry = address(args, 5), columns = integer(args, 9);
  const imagePitch = integer(args, 11), rowPitch = integer(args, 12), columnPitch = integer(args, 13);
  const image = address(args, 0) + (<usize> (group * channelsOf(geometry)) << 2);
  const output = address(args, 4) + (<usize> (group * columns) << 2);
  const height = gridRows(geometry), width = gridColumns(geometry);
  for (let row = 0; row < count; row++) {
    const pixel = firstRow + row,
      j = pixel % width,
      i = (pixel / width) % height,
      n = pixel / (width * height);
    const place = <usize> n * <usize> imagePitch + <usize> (i * rowPitch + j * columnPitch);
    store<usize>(rows + (<usize> row << 2), output + (place << 2));
    const source = sources + <usize> row * 12;
    store<usize>(source, image + <usize> n * imageBytes(geometry));
    store<i32>(source, i, 4);
    store<i32>(source, j, 8);
  }
}

/**
 * Weight gradients: dw[o][column] = Σ_pixels dy[pixel][o] · im2col(x)[pixel][column], for each group and each chunk of
 * pixels by itself: out [chunk][group][o][column]. Arguments: dy, x, out, geometry (the forward one), tile, groups, o and
 * columns of a group, pixels, dy's floats from pixel to pixel, pixels of a chunk, rows and columns of a task, scratch, its
 * bytes for each thread: taskRows · (PITCH · 4 + 4) + (DEPTH + 1) · taskColumns · 4 + EDGE_BYTES.
 * taskColumns is a multiple of the tile.
 */
export function gemmWeight(args: usize, thread: i32): void {
  const dy = address(args, 0), x = address(args, 1), out = address(args, 2), geometry = address(args, 3);
  const tile = integer(args, 4), groups = integer(args, 5), m = integer(args, 6), columns = integer(args, 7);
  const pixels = integer(args, 8), pitch = integer(args, 9), chunk = integer(args, 10);
  const taskRows = integer(args, 11), taskColumns = integer(args, 12);
  const a = address(args, 13) + <usize> thread * <usize> integer(args, 14);
  const rows = a + <usize> taskRows * PITCH * 4, panels = rows + <usize> taskRows * 4;
  const line = panels + <usize> (DEPTH * taskColumns) * 4, edge = line + <usize> taskColumns * 4;
  const rowBlocks = (m + taskRows - 1) / taskRows, columnBlocks = (columns + taskColumns - 1) / taskColumns;
  const chunks = (pixels + chunk - 1) / chunk, depth = blockDepth(min(chunk, pixels));
  const tasks = chunks * groups * rowBlocks * columnBlocks;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const firstRow = (task % rowBlocks) * taskRows, rowCount = min(taskRows, m - firstRow);
    const firstColumn = ((task / rowBlocks) % columnBlocks) * taskColumns;
    const columnCount = min(taskColumns, columns - firstColumn);
    const part = task / (rowBlocks * columnBlocks), group = part % groups;
    const firstPixel = (part / groups) * chunk, lastPixel = min(firstPixel + chunk, pixels);
    const top = out + (<usize> (part * m + firstRow) * <usize> columns + <usize> firstColumn) * 4;
    for (let row = 0; row < rowCount; row++) {
      store<usize>(rows + (<usize> row << 2), top + <usize> row * <usize> columns * 4);
    }
    const image = x + (<usize> (group * channelsOf(geometry)) << 2);
    const gradient = dy + (<usize> (group * m + firstRow) << 2);
    for (let start = firstPixel; start < lastPixel; start += depth) {
      const end = min(start + depth, lastPixel);
      packTransposed(
        a,
        gradient + <usize> start * <usize> pitch * 4,
        <usize> pitch << 2,
        rowCount,
        end - start,
      );
      gatherPanels(panels, line, geometry, image, tile, start, end, firstColumn, columnCount);
      const first: usize = start == firstPixel ? ZEROS : 0;
      for (let column = 0; column < columnCount; column += tile) {
        const b = panels + <usize> column * <usize> (end - start) * 4;
        tiles(
          tile,
          a,
          b,
          end - start,
          rows,
          rowCount,
          <usize> column << 2,
          columnCount - column,
          first,
          edge,
        );
      }
    }
  }
}

/** Depth of the block on which the micro-kernel is timed. */
const PEAK_DEPTH: i32 = 256;

const PEAK_SCRATCH: usize = 32768;

/**
 * Runs the micro-kernel again and again on one block that stays in the nearest cache, for the host to time: an iteration
 * is 6 · tile · 256 multiply-adds. The first `threads` threads do so at once, each on a block of its own.
 * Arguments: scratch (32 KiB a thread), iterations, tile, threads.
 */
export function gemmPeak(args: usize, thread: i32): void {
  if (thread >= integer(args, 3)) return;
  const a = address(args, 0) + <usize> thread * PEAK_SCRATCH,
    iterations = integer(args, 1),
    tile = integer(args, 2);
  const b = a + <usize> TILE_ROWS * PITCH * 4, c = b + <usize> PEAK_DEPTH * 64;
  const rows = c + <usize> TILE_ROWS * 64;
  memory.fill(a, 0, rows - a);
  for (let row: usize = 0; row < <usize> TILE_ROWS; row++) store<usize>(rows + (row << 2), c + (row << 6));
  for (let i = 0; i < iterations; i++) {
    if (tile == 8) micro6x8(a, PITCH * 4, b, PEAK_DEPTH, rows, 0, 0);
    else micro6x16(a, PITCH * 4, b, PEAK_DEPTH, rows, 0, 0);
  }
}

/**
 * A loop that V8 cannot pair to 256 bits, to compare with: as many multiply-adds an iteration as the narrow tile's, with
 * twelve sums that end up apart. It has no loads, so that it is as fast as 128 bits can be. Arguments: gemmPeak's.
 */
export function unpairedPeak(args: usize, thread: i32): void {
  if (thread >= integer(args, 3)) return;
  const at = address(args, 0) + <usize> thread * PEAK_SCRATCH, iterations = integer(args, 1);
  memory.fill(at, 0, 12 * 48);
  const x = v128.load(at), y = v128.load(at, 48);
  let c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x, c10 = x, c11 = x;
  for (let i = 0; i < iterations * PEAK_DEPTH; i++) {
    c0 = f32x4.relaxed_madd(x, y, c0);
    c1 = f32x4.relaxed_madd(x, y, c1);
    c2 = f32x4.relaxed_madd(x, y, c2);
    c3 = f32x4.relaxed_madd(x, y, c3);
    c4 = f32x4.relaxed_madd(x, y, c4);
    c5 = f32x4.relaxed_madd(x, y, c5);
    c6 = f32x4.relaxed_madd(x, y, c6);
    c7 = f32x4.relaxed_madd(x, y, c7);
    c8 = f32x4.relaxed_madd(x, y, c8);
    c9 = f32x4.relaxed_madd(x, y, c9);
    c10 = f32x4.relaxed_madd(x, y, c10);
    c11 = f32x4.relaxed_madd(x, y, c11);
  }
  v128.store(at, c0);
  v128.store(at, c1, 48);
  v128.store(at, c2, 96);
  v128.store(at, c3, 144);
  v128.store(at, c4, 192);
  v128.store(at, c5, 240);
  v128.store(at, c6, 288);
  v128.store(at, c7, 336);
  v128.store(at, c8, 384);
  v128.store(at, c9, 432);
  v128.store(at, c10, 480);
  v128.store(at, c11, 528);
}
