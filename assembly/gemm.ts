/** Matrix products of convolutions and linear layers, forward and towards the input. */
import { address, draw, integer } from "./abi";
import { finish } from "./epilogue";
import { channelsOf, gatherRow, gridColumns, gridRows, imageBytes } from "./gemm_gather";
import { blockDepth, EDGE_BYTES, PITCH, TILE_ROWS, tiles, ZEROS } from "./gemm_micro";
import { packBlock } from "./gemm_panels";
import { zeroFloats } from "./simd";

/**
 * Packs weights into panels of B, [group][panel][k][tile]; see gemm_panels.ts. Arguments:
 *
 *     0 weight, 1 panels    addresses
 *     2 table               of the weights, see gemm_panels.ts
 *     3 tile                columns of a panel: 8 or 16
 *     4 groups              merged ones; 5 columns and 6 k are those of one of them
 *     7 task depth          steps of k of a task
 *     8 task columns        of a task, a multiple of the tile
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
 * C's rows are pixels of a grid. x and y are images [N, H, W, C] whose channels lie group after group. Arguments:
 *
 *     0 x
 *     1 weight              B's panels, or the weights themselves
 *     2 table               of the weights, see gemm_panels.ts; 0 where 1 is panels
 *     3 bias                or 0
 *     4 y
 *     5 geometry            of x, see gemm_gather.ts
 *     6 tile                columns of a panel: 8 or 16
 *     7 groups              merged ones; 8 m, 9 columns and 10 k are those of one of them
 *     11, 12, 13            y's floats from image to image, from grid row to grid row, from grid column to grid column
 *     14, 15                rows (a multiple of 6) and columns (a multiple of the tile) of a task
 *     16 block rows         rows of A that are gathered at a time, a multiple of 6
 *     17 scratch, 18        and its bytes for each thread: blockRows · PITCH · 4 + taskRows · 16 + EDGE_BYTES, and for
 *                           weights that are not packed yet + DEPTH · taskColumns · 4
 *     19 epilogue           or 0, see epilogue.ts
 *     20 line pitch         floats from row to row of A where row r is pixel r of x, and so is read in place; or 0
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
