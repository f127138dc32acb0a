/**
 * Packing: weights and images into panels of B, [panel][k][tile], and gradients into rows of A.
 *
 * A weight table tells where B[k][column], k = (tap, channel), is in the weights of a convolution or linear layer:
 *
 *     0 group, 1 column, 2 tap, 3 channel    floats from one to the next; that of column or of channel is 1
 *     4 columns, 5 channels                  of a group
 *     6 merged                               groups that are multiplied together, see below
 *     7 taps                                 then the place of each tap in the weights
 *
 * Groups with few channels would leave most of a tile empty. So several are merged into one product, whose B has the
 * groups' weights as blocks along its diagonal and zeros elsewhere.
 */
import { channelsOf, gatherRow, gridColumns, gridRows, imageBytes, pitchOf, tapOf } from "./gemm_gather";
import { PITCH, TILE_ROWS } from "./gemm_micro";
import { copyFloats, transpose4, zeroFloats } from "./simd";

const PLACES: usize = 32;

/**
 * Packs steps `start` … `end − 1` of K and columns `first` … `last − 1` (first a multiple of the tile) of the weights of
 * merged group `group`; panels are `panelBytes` apart, and the last is filled up with zeros.
 */
export function packBlock(
  to: usize,
  panelBytes: usize,
  tile: i32,
  weight: usize,
  table: usize,
  group: i32,
  start: i32,
  end: i32,
  first: i32,
  last: i32,
): void {
  const columnPitch = <usize> load<i32>(table, 4) << 2, tapPitch = load<i32>(table, 8);
  const channelPitch = <usize> load<i32>(table, 12) << 2, merged = load<i32>(table, 24);
  const channels = load<i32>(table, 20) * merged, rowBytes = <usize> tile << 2;
  const groupOfWeights = weight + (<usize> (group * merged * load<i32>(table)) << 2);
  while (start < end) {
    const tap = start / channels, channel = start % channels, count = min(channels - channel, end - start);
    const place = load<i32>(table + PLACES + (<usize> tap << 2));
    const origin = groupOfWeights + (<usize> (place * tapPitch) << 2);
    const from = origin + <usize> channel * channelPitch + <usize> first * columnPitch;
    if (merged > 1) packDiagonal(to, panelBytes, tile, origin, table, channel, count, first, last);
    else if (columnPitch == 4) packColumns(to, panelBytes, tile, from, channelPitch, count, last - first);
    else packRows(to, panelBytes, tile, from, columnPitch, count, last - first);
    start += count;
    to += <usize> count * rowBytes;
  }
}

/** Copies 8 or 16 floats. */
function copyTile(to: usize, from: usize, tile: i32): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  if (tile == 8) return;
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
}

/** From weights whose columns are contiguous. */
function packColumns(
  to: usize,
  panelBytes: usize,
  tile: i32,
  from: usize,
  channelPitch: usize,
  channels: i32,
  columns: i32,
): void {
  const rowBytes = <usize> tile << 2, whole = columns - columns % tile, rest = columns - whole;
  for (let channel = 0; channel < channels; channel++) {
    let target = to, source = from;
    for (let column = 0; column < whole; column += tile) {
      copyTile(target, source, tile);
      target += panelBytes;
      source += rowBytes;
    }
    if (rest) {
      copyFloats(target, source, rest);
      zeroFloats(target + (<usize> rest << 2), tile - rest);
    }
    to += rowBytes;
    from += channelPitch;
  }
}

/** From weights whose channels are contiguous: a transposition. */
function packRows(
  to: usize,
  panelBytes: usize,
  tile: i32,
  from: usize,
  columnPitch: usize,
  channels: i32,
  columns: i32,
): void {
  const rowBytes = <usize> tile << 2, long = channels & ~3;
  for (let column = 0; column < columns; column += tile) {
    const width = min(tile, columns - column), wide = width & ~3;
    for (let i = 0; i < wide; i += 4) {
      transpose4(to + (<usize> i << 2), rowBytes, from + <usize> i * columnPitch, columnPitch, long);
    }
    for (let i = 0; i < tile; i++) {
      const source = from + <usize> i * columnPitch, target = to + (<usize> i << 2);
      for (let channel = i < wide ? long : 0; channel < channels; channel++) {
        const value: f32 = i < width ? load<f32>(source + (<usize> channel << 2)) : 0;
        store<f32>(target + <usize> channel * rowBytes, value);
      }
    }
    from += <usize> tile * columnPitch;
    to += panelBytes;
  }
}

/** From merged groups: zero where a channel and a column belong to different ones. */
function packDiagonal(
  to: usize,
  panelBytes: usize,
  tile: i32,
  origin: usize,
  table: usize,
  channel: i32,
  count: i32,
  first: i32,
  last: i32,
): void {
  const groupPitch = load<i32>(table), columnPitch = load<i32>(table, 4), channelPitch = load<i32>(table, 12);
  const columns = load<i32>(table, 16), channels = load<i32>(table, 20), rowBytes = <usize> tile << 2;
  for (let step = 0; step < count; step++) {
    const row = channel + step, group = row / channels, c = row % channels;
    for (let start = first; start < last; start += tile) {
      const target = to + <usize> ((start - first) / tile) * panelBytes + <usize> step * rowBytes;
      for (let i = 0; i < tile; i++) {
        const column = start + i;
        let value: f32 = 0;
        if (column < last && column / columns == group) {
          const place = group * groupPitch + (column % columns) * columnPitch + c * channelPitch;
          value = load<f32>(origin + (<usize> place << 2));
        }
        store<f32>(target + (<usize> i << 2), value);
      }
    }
  }
}

/** Rows of A from the columns of a matrix whose rows are `pitch` bytes apart; zero rows up to a whole tile. */
export function packTransposed(a: usize, from: usize, pitch: usize, rowCount: i32, depth: i32): void {
  const wide = rowCount & ~3, long = depth & ~3, bytes = PITCH * 4;
  for (let k = 0; k < long; k += 4) {
    transpose4(a + (<usize> k << 2), bytes, from + <usize> k * pitch, pitch, wide);
  }
  for (let row = 0; row < rowCount; row++) {
    const source = from + (<usize> row << 2), target = a + <usize> row * bytes;
    for (let k = row < wide ? long : 0; k < depth; k++) {
      store<f32>(target + (<usize> k << 2), load<f32>(source + <usize> k * pitch));
    }
  }
  for (let row = rowCount; row % TILE_ROWS != 0; row++) zeroFloats(a + <usize> row * bytes, depth);
}

/**
 * Panels from rows `start` … `end − 1` of im2col (one a pixel), columns `first` … `first + count − 1`; zeros beyond.
 * `line` is room for one row, rounded up to whole tiles.
 */
export function gatherPanels(
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
  image += <usize> (start / (gridColumns(geometry) * gridRows(geometry))) * imageBytes(geometry);
  if (channelsOf(geometry) % tile == 0) {
    const panelBytes = <usize> (end - start) * <usize> tile * 4;
    const channels = channelsOf(geometry), last = first + count, most = SIDE_BY_SIDE * tile;
    for (let column = first, width = 0; column < last; column += width) {
      width = min(min(channels - column % channels, last - column), most);
      gatherTap(panels, panelBytes, geometry, image, tile, start, end, column, width);
      panels += <usize> (width / tile) * panelBytes;
    }
  } else {
    gatherLines(panels, line, geometry, image, tile, start, end, first, count);
  }
}

/** Panels that are gathered together, since memory is read faster in longer pieces. */
const SIDE_BY_SIDE: i32 = 4;

/** Panels whose columns are channels of one tap, `count` in all: run after run of pixels side by side. */
function gatherTap(
  to: usize,
  panelBytes: usize,
  geometry: usize,
  image: usize,
  tile: i32,
  start: i32,
  end: i32,
  column: i32,
  count: i32,
): void {
  const height = load<i32>(geometry), width = load<i32>(geometry, 4), pitch = pitchOf(geometry);
  const channels = channelsOf(geometry), strideY = load<i32>(geometry, 24), strideX = load<i32>(geometry, 28);
  const rows = gridRows(geometry), columns = gridColumns(geometry), rowBytes = <usize> tile << 2;
  const tap = tapOf(geometry, column / channels), dy = <i32> (tap >> 32), dx = <i32> tap;
  // The grid's columns from `left` to `right` − 1 have their pixel inside the image.
  const left = dx < 0 ? (-dx + strideX - 1) / strideX : 0;
  const right = dx < width ? (width - dx + strideX - 1) / strideX : 0;
  image += <usize> (column % channels) << 2;
  let i = start / columns % rows, j = start % columns;
  for (let pixel = start; pixel < end;) {
    const last = min(columns, j + end - pixel), y = i * strideY + dy;
    const inside = <u32> y < <u32> height ? min(max(left, j), last) : last;
    const outside = <u32> y < <u32> height ? max(min(right, last), inside) : last;
    const from = image + (<usize> ((y * width + inside * strideX + dx) * pitch) << 2);
    for (let panel = 0; panel < count; panel += tile) {
      const target = to + <usize> (panel / tile) * panelBytes;
      zeroFloats(target, (inside - j) * tile);
      zeroFloats(target + <usize> (outside - j) * rowBytes, (last - outside) * tile);
    }
    const target = to + <usize> (inside - j) * rowBytes;
    copyRun(target, panelBytes, from, <usize> (strideX * pitch) << 2, tile, outside - inside, count);
    to += <usize> (last - j) * rowBytes;
    pixel += last - j;
    j = 0;
    if (++i == rows) {
      i = 0;
      image += imageBytes(geometry);
    }
  }
}

/** Copies `count` floats of each of `pixels` pixels, `pitch` bytes apart, into as many panels as they fill. */
function copyRun(
  to: usize,
  panelBytes: usize,
  from: usize,
  pitch: usize,
  tile: i32,
  pixels: i32,
  count: i32,
): void {
  const rowBytes = <usize> tile << 2, bytes = <usize> count << 2;
  for (const end = to + <usize> pixels * rowBytes; to < end; to += rowBytes, from += pitch) {
    for (let source = from, target = to; source < from + bytes; source += rowBytes, target += panelBytes) {
      copyTile(target, source, tile);
    }
  }
}

/** All panels, row after row: for channels that do not fill whole tiles. */
function gatherLines(
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
  const height = gridRows(geometry), width = gridColumns(geometry);
  const panelBytes = <usize> (end - start) * <usize> tile * 4, tileBytes = <usize> tile << 2;
  const lineEnd = line + (<usize> count << 2);
  let j = start % width, i = (start / width) % height;
  zeroFloats(lineEnd, (tile - count % tile) % tile);
  for (let pixel = start; pixel < end; pixel++) {
    gatherRow(line, geometry, image, i, j, first, first + count);
    let to = panels;
    for (let from = line; from < lineEnd; from += tileBytes, to += panelBytes) copyTile(to, from, tile);
    panels += tileBytes;
    if (++j == width) {
      j = 0;
      if (++i == height) {
        i = 0;
        image += imageBytes(geometry);
      }
    }
  }
}
