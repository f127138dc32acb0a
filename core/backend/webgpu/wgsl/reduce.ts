/** Sums among the invocations of a workgroup, in a fixed order. */

/**
 * `sum_of(lane, x)` and `greatest_of(lane, x)` over all LANES invocations, which all must call it; the result is
 * everybody's. NaN need not reach `greatest_of`'s.
 */
export const reduceLanes = `
var<workgroup> lanes_shared: array<f32, LANES>;

fn sum_of(lane: u32, x: f32) -> f32 {
  lanes_shared[lane] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { lanes_shared[lane] += lanes_shared[lane + half]; }
    workgroupBarrier();
  }
  let result = lanes_shared[0];
  workgroupBarrier();
  return result;
}

fn greatest_of(lane: u32, x: f32) -> f32 {
  lanes_shared[lane] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { lanes_shared[lane] = max(lanes_shared[lane], lanes_shared[lane + half]); }
    workgroupBarrier();
  }
  let result = lanes_shared[0];
  workgroupBarrier();
  return result;
}
`;

/** y = factor · Σ x, by one workgroup. Numbers: count, factor. */
export const sumAll = `
${reduceLanes}
@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < n.count; i += LANES) { sum += read_x(i); }
  let total = sum_of(lane, sum);
  if (lane == 0u) { write_y(0u, n.factor * total); }
}
`;

/** Channels and rows of the block of invocations that adds columns. */
export const COLUMN_CHANNELS = 32;
export const COLUMN_ROWS = 8;

export interface Columns {
  /** Statements that add row `row` of channel `channel`, x[at], to `sums`: vec2f. */
  readonly add: string;
  /** Statements for each channel's `sums` of block `block` in the end. */
  readonly end: string;
  readonly helpers?: string;
}

/**
 * Sums of columns of a matrix [rows × channels]: a workgroup takes 32 channels of n.block rows; 8 invocations a channel, whose
 * sums are added in order. Numbers: rows, channels, block, and those of the statements. Grid: channels / 32 × rows / block.
 */
export function sumColumns({ add, end, helpers = "" }: Columns): string {
  return `${helpers}
var<workgroup> columns_shared: array<vec2f, LANES>;

@compute @workgroup_size(${COLUMN_CHANNELS}, ${COLUMN_ROWS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let channel = group.x * ${COLUMN_CHANNELS}u + id.x;
  let block = group.y;
  var sums = vec2f();
  if (channel < n.channels) {
    let last = min((block + 1u) * n.block, n.rows);
    for (var row = block * n.block + id.y; row < last; row += ${COLUMN_ROWS}u) {
      let at = row * n.channels + channel;
      ${add}
    }
  }
  columns_shared[id.y * ${COLUMN_CHANNELS}u + id.x] = sums;
  workgroupBarrier();
  if (id.y != 0u || channel >= n.channels) { return; }
  for (var other = 1u; other < ${COLUMN_ROWS}u; other++) {
    sums += columns_shared[other * ${COLUMN_CHANNELS}u + id.x];
  }
  ${end}
}
`;
}
