/** Moving numbers: rows out of and into wider rows, and transposed matrices. Every number has four bytes. */
import { address, draw, integer } from "./abi";
import { finish } from "./epilogue";
import { copyFloats, transpose4 } from "./simd";

/** Elements a ticket stands for. */
const GRAIN: i32 = 16384;

/** Rows and columns of the block that a ticket transposes: source and target stay in the first-level cache. */
const BLOCK: i32 = 32;

/**
 * Copies `rows` rows of `width` elements that lie `fromPitch` elements apart to rows `toPitch` apart.
 * Arguments: from, to, rows, width, fromPitch, toPitch, epilogue (or 0; without a normalisation).
 */
export function copy_rows(args: usize, thread: i32): void {
  const from = address(args, 0), to = address(args, 1), width = integer(args, 3);
  const fromPitch = address(args, 4), toPitch = address(args, 5), epilogue = address(args, 6);
  const count = integer(args, 2) * width;
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    // A ticket may begin and end inside a row, so that one long row is shared as well.
    let row = <usize> (start / width), column = start % width;
    for (let i = start; i < end; row++) {
      const length = min(width - column, end - i);
      const source = from + ((row * fromPitch + <usize> column) << 2);
      const target = to + ((row * toPitch + <usize> column) << 2);
      if (epilogue) finish(epilogue, source, target, column, length);
      else copyFloats(target, source, length);
      i += length;
      column = 0;
    }
  }
}

/** Transposes the block of `height` × `width` elements; the pitches are in bytes. */
function transposeBlock(
  from: usize,
  to: usize,
  height: i32,
  width: i32,
  fromPitch: usize,
  toPitch: usize,
): void {
  const wholeRows = height & ~3, wholeColumns = width & ~3;
  for (let row = 0; row < wholeRows; row += 4) {
    transpose4(to + (<usize> row << 2), toPitch, from + <usize> row * fromPitch, fromPitch, wholeColumns);
  }
  // What is right of the whole squares and below them.
  for (let row = 0; row < height; row++) {
    const source = from + <usize> row * fromPitch, target = to + (<usize> row << 2);
    for (let column = row < wholeRows ? wholeColumns : 0; column < width; column++) {
      store<u32>(target + <usize> column * toPitch, load<u32>(source + (<usize> column << 2)));
    }
  }
}

/** [batch, rows, columns] → [batch, columns, rows]. Arguments: from, to, batch, rows, columns. */
export function transpose(args: usize, thread: i32): void {
  const from = address(args, 0), to = address(args, 1), batch = integer(args, 2);
  const rows = integer(args, 3), columns = integer(args, 4);
  const down = (rows + BLOCK - 1) / BLOCK, across = (columns + BLOCK - 1) / BLOCK;
  const fromPitch = <usize> columns << 2, toPitch = <usize> rows << 2;
  const tasks = batch * down * across;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const column = (task % across) * BLOCK, row = (task / across % down) * BLOCK;
    const matrix = <usize> (task / across / down) * <usize> rows * fromPitch;
    transposeBlock(
      from + matrix + <usize> row * fromPitch + (<usize> column << 2),
      to + matrix + <usize> column * toPitch + (<usize> row << 2),
      min(BLOCK, rows - row),
      min(BLOCK, columns - column),
      fromPitch,
      toPitch,
    );
  }
}
