/** Matrix products of convolutions and linear layers, forward and towards the input. */
import { address, draw, integer } from "./abi";
import { channelsOf, gatherRow, gridColumns, gridRows, imageBytes } from "./gemm_gather";
import {
  blockDepth,
  DEPTH,
  EDGE_BYTES,
  micro6x16,
  micro6x8,
  PITCH,
  TILE_ROWS,
  tiles,
  ZEROS,
} from "./gemm_micro";
import { copyFloats, transpose4x4, zeroFloats } from "./simd";

/**
 * Packs weights into panels of B, [group][panel][k][tile] with k = (tap, channel) and columns beyond n zero:
 * B[k][column] = w[group · groupPitch + column · columnPitch + tap · tapPitch + channel · channelPitch], in floats.
 * Either columnPitch or channelPitch is 1. Arguments: w, panels, tile, groups, columns, channels, taps, groupPitch,
 * columnPitch, tapPitch, channelPitch, table of the taps' places in w.
 */
export function packPanels(args: usize, thread: i32): void {
  const w = address(args, 0), panels = address(args, 1), tile = integer(args, 2), groups = integer(args, 3);
  const columns = integer(args, 4), channels = integer(args, 5), taps = integer(args, 6);
  const groupPitch = integer(args, 7), columnPitch = integer(args, 8), tapPitch = integer(args, 9);
  const channelPitch = integer(args, 10), places = address(args, 11);
  const panelCount = (columns + tile - 1) / tile, tasks = groups * panelCount * taps;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const tap = task % taps, panel = (task / taps) % panelCount, group = task / (taps * panelCount);
    const column = panel * tile, width = min(tile, columns - column);
    const place = load<i32>(places + (<usize> tap << 2));
    const from = w + (<usize> (group * groupPitch + column * columnPitch + place * tapPitch) << 2);
    const to = panels + <usize> task * <usize> (channels * tile) * 4;
    if (channelPitch == 1) packRows(to, from, tile, width, channels, <usize> columnPitch << 2);
    else packColumns(to, from, tile, width, channels, <usize> channelPitch << 2);
  }
}

/** A panel from weights whose channels are contiguous: a transposition. */
function packRows(to: usize, from: usize, tile: i32, width: i32, channels: i32, pitch: usize): void {
  const toPitch = <usize> tile << 2;
  const wide = width & ~3, long = channels & ~3;
  for (let column = 0; column < wide; column += 4) {
    const source = from + <usize> column * pitch, target = to + (<usize> column << 2);
    for (let channel = 0; channel < long; channel += 4) {
      transpose4x4(target + <usize> channel * toPitch, toPitch, source + (<usize> channel << 2), pitch);
    }
  }
  for (let column = 0; column < tile; column++) {
    const source = from + <usize> column * pitch, target = to + (<usize> column << 2);
    for (let channel = column < wide ? long : 0; channel < channels; channel++) {
      const value: f32 = column < width ? load<f32>(source + (<usize> channel << 2)) : 0;
      store<f32>(target + <usize> channel * toPitch, value);
    }
  }
}

/** A panel from weights whose columns are contiguous. */
function packColumns(to: usize, from: usize, tile: i32, width: i32, channels: i32, pitch: usize): void {
  for (let channel = 0; channel < channels; channel++) {
    copyFloats(to, from, width);
    zeroFloats(to + (<usize> width << 2), tile - width);
    to += <usize> tile << 2;
    from += pitch;
  }
}

/**
 * C[m][column] = Σ_k A[m][k] · B[k][column] (+ bias[column]): A is gathered from an image (gemm_gather.ts), B is packed
 * panels, C's rows are pixels of a grid. Arguments: x, panels, bias (or 0), y, geometry, tile, groups, m, columns and k of a
 * group, y's floats from image to image, from grid row to grid row and from grid column to grid column, rows and
 * columns of a task, scratch, its bytes for each thread: rowsOfTask · (PITCH · 4 + 16) + EDGE_BYTES.
 * x and y have their channels group after group.
 */
export function gemm(args: usize, thread: i32): void {
  const x = address(args, 0), panels = address(args, 1), bias = address(args, 2), y = address(args, 3);
  const geometry = address(args, 4), tile = integer(args, 5), groups = integer(args, 6), m = integer(args, 7);
  const columns = integer(args, 8), k = integer(args, 9);
  const imagePitch = integer(args, 10), rowPitch = integer(args, 11), columnPitch = integer(args, 12);
  const taskRows = integer(args, 13), taskColumns = integer(args, 14);
  const a = address(args, 15) + <usize> thread * <usize> integer(args, 16);
  const rows = a + <usize> taskRows * PITCH * 4, sources = rows + <usize> taskRows * 4;
  const edge = sources + <usize> taskRows * 12;
  const panelBytes = <usize> k * <usize> tile * 4, panelsOfGroup = (columns + tile - 1) / tile;
  const rowBlocks = (m + taskRows - 1) / taskRows, columnBlocks = (columns + taskColumns - 1) / taskColumns;
  const gridHeight = gridRows(geometry), gridWidth = gridColumns(geometry), depth = blockDepth(k);
  const tasks = rowBlocks * columnBlocks * groups;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const group = task / (rowBlocks * columnBlocks);
    const firstRow = (task % rowBlocks) * taskRows, rowCount = min(taskRows, m - firstRow);
    const firstColumn = ((task / rowBlocks) % columnBlocks) * taskColumns;
    const lastColumn = min(firstColumn + taskColumns, columns);
    const image = x + (<usize> (group * channelsOf(geometry)) << 2);
    const output = y + (<usize> (group * columns) << 2);

    for (let row = 0; row < rowCount; row++) {
      const pixel = firstRow + row, j = pixel % gridWidth;
      const i = (pixel / gridWidth) % gridHeight, n = pixel / (gridWidth * gridHeight);
      const place = <usize> n * <usize> imagePitch + <usize> (i * rowPitch + j * columnPitch);
      store<usize>(rows + (<usize> row << 2), output + (place << 2));
      const source = sources + <usize> row * 12;
      store<usize>(source, image + <usize> n * imageBytes(geometry));
      store<i32>(source, i, 4);
      store<i32>(source, j, 8);
    }
    for (let start = 0; start == 0 || start < k; start += depth) {
      const end = min(start + depth, k);
      for (let row = 0; row < rowCount; row++) {
        const to = a + <usize> row * PITCH * 4, source = sources + <usize> row * 12;
        gatherRow(to, geometry, load<usize>(source), load<i32>(source, 4), load<i32>(source, 8), start, end);
      }
      for (let row = rowCount; row % TILE_ROWS != 0; row++) {
        zeroFloats(a + <usize> row * PITCH * 4, end - start);
      }
      for (let column = firstColumn; column < lastColumn; column += tile) {
        const panel = panels + <usize> (group * panelsOfGroup + column / tile) * panelBytes;
        const b = panel + <usize> start * <usize> tile * 4, offset = <usize> column << 2;
        let first: usize = 0;
        if (start == 0) first = bias ? bias + (<usize> (group * columns) << 2) + offset : ZEROS;
        tiles(tile, a, b, end - start, rows, rowCount, offset, columns - column, first, edge);
      }
    }
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

/** Rows of A from the columns of a matrix whose rows are `pitch` bytes apart; zero rows up to a whole tile. */
function packTransposed(a: usize, from: usize, pitch: usize, rowCount: i32, depth: i32): void {
  const wide = rowCount & ~3, long = depth & ~3, bytes = PITCH * 4;
  for (let k = 0; k < long; k += 4) {
    const source = from + <usize> k * pitch, target = a + (<usize> k << 2);
    for (let row = 0; row < wide; row += 4) {
      transpose4x4(target + <usize> row * bytes, bytes, source + (<usize> row << 2), pitch);
    }
  }
  for (let row = 0; row < rowCount; row++) {
    const source = from + (<usize> row << 2), target = a + <usize> row * bytes;
    for (let k = row < wide ? long : 0; k < depth; k++) {
      store<f32>(target + (<usize> k << 2), load<f32>(source + <usize> k * pitch));
    }
  }
  for (let row = rowCount; row % TILE_ROWS != 0; row++) zeroFloats(a + <usize> row * bytes, depth);
}

/** Panels of B [panel][pixel][tile] from rows `start` … `end − 1` of im2col, columns `first` … ; zeros beyond. */
function gatherPanels(
  panels: usize,
  line: usize,
  geometry: usize,
  image: usize,
  tile: i32,
  start: i32,
  end: i32,
  first: i32,
  count: i32,
): void {
  const height = gridRows(geometry), width = gridColumns(geometry), bytes = imageBytes(geometry);
  const panelBytes = <usize> (end - start) * <usize> tile * 4, tileBytes = <usize> tile << 2;
  const lineEnd = line + (<usize> count << 2);
  let j = start % width, i = (start / width) % height;
  image += <usize> (start / (width * height)) * bytes;
  zeroFloats(lineEnd, (tile - count % tile) % tile);
  for (let pixel = start; pixel < end; pixel++) {
    gatherRow(line, geometry, image, i, j, first, first + count);
    let to = panels;
    for (let from = line; from < lineEnd; from += tileBytes, to += panelBytes) {
      if (tile == 8) copyFloats(to, from, 8);
      else copyFloats(to, from, 16);
    }
    panels += tileBytes;
    if (++j == width) {
      j = 0;
      if (++i == height) {
        i = 0;
        image += bytes;
      }
    }
  }
}

/** Depth of the block on which the micro-kernel is timed. */
const PEAK_DEPTH: i32 = 256;

/**
 * Runs the micro-kernel again and again on one block that stays in the nearest cache, on one thread, for the host to
 * time: an iteration is 6 · tile · 256 multiply-adds. Arguments: scratch (32 KiB), iterations, tile.
 */
export function gemmPeak(args: usize, thread: i32): void {
  if (thread != 0) return;
  const a = address(args, 0), iterations = integer(args, 1), tile = integer(args, 2);
  const b = a + <usize> TILE_ROWS * PITCH * 4, c = b + <usize> PEAK_DEPTH * 64;
  const rows = c + <usize> TILE_ROWS * 64;
  memory.fill(a, 0, rows - a);
  for (let row: usize = 0; row < <usize> TILE_ROWS; row++) store<usize>(rows + (row << 2), c + (row << 6));
  for (let i = 0; i < iterations; i++) {
    if (tile == 8) micro6x8(a, b, PEAK_DEPTH, rows, 0, 0);
    else micro6x16(a, b, PEAK_DEPTH, rows, 0, 0);
  }
}
