/** Moving numbers: rows out of and into wider rows, and transposed matrices. Every number has four bytes. */
import { address, draw, integer } from "./abi";
import { loadPart, storePart } from "./part";

/** Elements a ticket stands for. */
const GRAIN: i32 = 16384;

/** Rows and columns of the block that a ticket transposes: source and target stay in the first-level cache. */
const BLOCK: i32 = 32;

function copy(from: usize, to: usize, count: i32): void {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const at = <usize> i << 2;
    const low = v128.load(from + at), high = v128.load(from + at, 16);
    v128.store(to + at, low);
    v128.store(to + at, high, 16);
  }
  for (; i < count; i += 4) {
    const at = <usize> i << 2;
    storePart(to + at, loadPart(from + at, count - i), count - i);
  }
}

/**
 * Copies `rows` rows of `width` elements that lie `fromPitch` elements apart to rows `toPitch` apart.
 * Arguments: from, to, rows, width, fromPitch, toPitch.
 */
export function copy_rows(args: usize, thread: i32): void {
  const from = address(args, 0), to = address(args, 1), width = integer(args, 3);
  const fromPitch = address(args, 4), toPitch = address(args, 5);
  const count = integer(args, 2) * width;
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    // A ticket may begin and end inside a row, so that one long row is shared as well.
    let row = <usize> (start / width), column = start % width;
    for (let i = start; i < end; row++) {
      const length = min(width - column, end - i);
      const shift = <usize> column;
      copy(from + ((row * fromPitch + shift) << 2), to + ((row * toPitch + shift) << 2), length);
      i += length;
      column = 0;
    }
  }
}

/** Transposes four rows of four; the pitches are in bytes. */
function transpose4x4(from: usize, to: usize, fromPitch: usize, toPitch: usize): void {
  const a = v128.load(from), b = v128.load(from + fromPitch);
  const c = v128.load(from + 2 * fromPitch), d = v128.load(from + 3 * fromPitch);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7), CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to + toPitch, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  v128.store(to + 2 * toPitch, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5));
  v128.store(to + 3 * toPitch, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7));
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
  for (let row = 0; row < height; row++) {
    const source = from + <usize> row * fromPitch, target = to + (<usize> row << 2);
    let column = 0;
    if (row < wholeRows) {
      if ((row & 3) == 0) {
        for (; column < wholeColumns; column += 4) {
          transpose4x4(source + (<usize> column << 2), target + <usize> column * toPitch, fromPitch, toPitch);
        }
      }
      column = wholeColumns;
    }
    for (; column < width; column++) {
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
