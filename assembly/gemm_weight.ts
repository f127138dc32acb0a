/** Matrix products of convolutions and linear layers, towards the weights. */
import { address, draw, integer } from "./abi";
import { channelsOf } from "./gemm_gather";
import { blockDepth, DEPTH, PITCH, tiles, ZEROS } from "./gemm_micro";
import { gatherPanels, packTransposed } from "./gemm_panels";

/**
 * dw[o][column] = Σ_pixels dy[pixel][o] · im2col(x)[pixel][column], for each group and each chunk of pixels by itself:
 * out [chunk][group][o][column], which `sumChunks` adds up. dy and x are [N, H, W, C], a column is (tap, channel).
 * Arguments:
 *
 *     0 dy, 1 x, 2 out      addresses
 *     3 geometry            of x in the forward pass, see gemm_gather.ts
 *     4 tile                columns of a panel: 8 or 16
 *     5 groups              merged ones; 6 o (output channels) and 7 columns are those of one of them
 *     8 pixels              of dy, of all images
 *     9 pitch               dy's floats from pixel to pixel
 *     10 chunk              pixels of a chunk
 *     11, 12                rows and columns (a multiple of the tile) of a task
 *     13 scratch, 14        and its bytes for each thread: taskRows · (PITCH · 4 + 4) + (DEPTH + 1) · taskColumns · 4 + EDGE_BYTES
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
