/** Moving numbers without changing them. */

/** Side of the squares by which matrices are transposed, so that both sides are read and written in rows. */
export const SQUARE = 16;

/** [batch, rows, columns] → [batch, columns, rows]. Numbers: rows, columns, across (squares in a row). Grid: squares by `group_index` × batch. */
export const transpose = `
var<workgroup> square: array<f32, ${SQUARE * (SQUARE + 1)}>;

@compute @workgroup_size(${SQUARE}, ${SQUARE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let matrix = group.z * n.rows * n.columns;
  let first_row = group_index(group) / n.across * ${SQUARE}u;
  let first_column = group_index(group) % n.across * ${SQUARE}u;
  let column = first_column + id.x;
  let row = first_row + id.y;
  if (column < n.columns && row < n.rows) {
    square[id.y * ${SQUARE + 1}u + id.x] = read_x(matrix + row * n.columns + column);
  }
  workgroupBarrier();
  let to_column = first_row + id.x;
  let to_row = first_column + id.y;
  if (to_column < n.rows && to_row < n.columns) {
    write_y(matrix + to_row * n.rows + to_column, square[id.x * ${SQUARE + 1}u + id.y]);
  }
}
`;

/**
 * Rows of `width` T (a number or four of them, as the buffers are), `from_pitch` apart, to rows `to_pitch` apart. An invocation a T.
 * `value` is what is written of the number at `source`. Numbers: count, width, from_start, from_pitch, to_start, to_pitch.
 */
export function copyRows(value = "read_x(source)", helpers = ""): string {
  return `${helpers}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group_index(group) * LANES + lane;
  if (i >= n.count) { return; }
  let row = i / n.width;
  let column = i % n.width;
  let source = n.from_start + row * n.from_pitch + column;
  write_y(n.to_start + row * n.to_pitch + column, ${value});
}
`;
}

/** For `elements`: y[i] = x[rows − 1 − i], in rows of `width` numbers. Numbers: rows, width. */
export const flip = "read_x((n.rows - 1u - i / n.width) * n.width + i % n.width)";
