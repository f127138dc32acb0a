/**
 * Sums among the invocations of a workgroup, in a fixed order: within subgroups, whose invocations read each other's registers, where the
 * GPU has them; and through the workgroup's memory. Invocations of a subgroup are neighbours (`core/backend/webgpu/trial.ts` looks).
 */
import { LANES } from "../kernel.ts";
import { numbersOf, type Width } from "./formula.ts";

/** What a module must begin with to use subgroups: compilers differ. Undefined where there are none to use. */
export type Subgroups = { readonly directive: string } | undefined;

/**
 * `sum_of(lane, x)` and `greatest_of(lane, x)` over all LANES invocations, which all must call it; the result is
 * everybody's. NaN need not reach `greatest_of`'s.
 */
export function reduceLanes(subgroups: Subgroups): string {
  const sum = { name: "sum_of", join: (a: string, b: string) => `${a} + ${b}`, within: "subgroupAdd" };
  const greatest = {
    name: "greatest_of",
    join: (a: string, b: string) => `max(${a}, ${b})`,
    within: "subgroupMax",
  };
  return `${subgroups?.directive ?? ""}
var<workgroup> lanes_shared: array<f32, LANES>;
${[sum, greatest].map(subgroups ? bySubgroups : byMemory).join("")}`;
}

interface Reduction {
  readonly name: string;
  readonly join: (a: string, b: string) => string;
  readonly within: string;
}

function bySubgroups({ name, join, within }: Reduction): string {
  return `
fn ${name}(lane: u32, x: f32) -> f32 {
  let size = subgroupAdd(1u);
  let own = ${within}(x);
  if (lane % size == 0u) { lanes_shared[lane / size] = own; }
  workgroupBarrier();
  var result = lanes_shared[0];
  for (var other = 1u; other < LANES / size; other++) { result = ${join("result", "lanes_shared[other]")}; }
  workgroupBarrier();
  return result;
}
`;
}

function byMemory({ name, join }: Reduction): string {
  return `
fn ${name}(lane: u32, x: f32) -> f32 {
  lanes_shared[lane] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { lanes_shared[lane] = ${join("lanes_shared[lane]", "lanes_shared[lane + half]")}; }
    workgroupBarrier();
  }
  let result = lanes_shared[0];
  workgroupBarrier();
  return result;
}
`;
}

/** y = factor · Σ x, by one workgroup. Numbers: count, factor. Behind `reduceLanes`. */
export const sumAll = `
@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < n.count; i += LANES) { sum += read_x(i); }
  let total = sum_of(lane, sum);
  if (lane == 0u) { write_y(0u, n.factor * total); }
}
`;

/** Channels that a workgroup takes of a matrix whose columns it adds: what memory gives at once. */
export const COLUMN_CHANNELS = 32;

/** Rows that a workgroup reads at once. */
export function columnRows(width: Width): number {
  return LANES * numbersOf(width) / COLUMN_CHANNELS;
}

export interface Columns {
  readonly width: Width;
  readonly subgroups: Subgroups;
  /** Fields of what each channel comes to, beside the code of `struct Part` and `joined(a: Part, b: Part) → Part`. */
  readonly fields: readonly string[];
  readonly code: string;
  /** Statements that gather in `part` the rows `row`, `row` + ROWS … of channel `channel` in block `block`. */
  readonly own: string;
  /** Statements for each channel's `part` of a block in the end. */
  readonly end: string;
}

/**
 * Something of the columns of a matrix [rows × channels], channels counted in T: a workgroup takes 32 channels of a block of rows;
 * whoever shares a channel joins in a fixed order. Grid: channels / 32 × blocks.
 */
export function joinColumns({ width, subgroups, fields, code, own, end }: Columns): string {
  const across = COLUMN_CHANNELS / numbersOf(width);
  const shuffled = fields.map((field) => `subgroupShuffleXor(part.${field}, mask)`).join(", ");
  const join = subgroups
    ? `
  // Rows of a subgroup are joined in its registers; then its first row has them.
  let size = max(subgroupAdd(1u), ${across}u);
  for (var mask = ${across}u; mask < size; mask <<= 1u) { part = joined(part, Part(${shuffled})); }
  if (lane % size < ${across}u) { columns_shared[lane / size * ${across}u + lane % ${across}u] = part; }
  workgroupBarrier();
  if (lane >= ${across}u || channel >= n.channels) { return; }
  for (var other = 1u; other < LANES / size; other++) {
    part = joined(part, columns_shared[other * ${across}u + lane]);
  }`
    : `
  columns_shared[lane] = part;
  workgroupBarrier();
  for (var half = LANES / 2u; half >= ${across}u; half >>= 1u) {
    if (lane < half) { columns_shared[lane] = joined(columns_shared[lane], columns_shared[lane + half]); }
    workgroupBarrier();
  }
  if (lane >= ${across}u || channel >= n.channels) { return; }
  part = columns_shared[lane];`;
  return `${subgroups?.directive ?? ""}
const ROWS = ${columnRows(width)}u;
${code}
var<workgroup> columns_shared: array<Part, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channel = group.x * ${across}u + lane % ${across}u;
  let row = lane / ${across}u;
  let block = group.y;
  var part = Part();
  if (channel < n.channels) {
    ${own}
  }
${join}
  ${end}
}
`;
}

export interface Sums {
  /** How many sums each channel has: `part.first` and, where it has two, `part.second`. */
  readonly count: 1 | 2;
  /** Statements that add row `row` of channel `channel`, x[at], to `part`. */
  readonly add: string;
  readonly end: string;
  readonly helpers?: string;
}

/** Sums of columns. Numbers: rows, channels (in T), block (rows of a block), and those of the statements. */
export function sumColumns(
  { count, add, end, helpers = "" }: Sums,
  width: Width,
  subgroups: Subgroups,
): string {
  const fields = ["first", "second"].slice(0, count);
  return joinColumns({
    width,
    subgroups,
    fields,
    code: `
struct Part { ${fields.map((field) => `${field}: ${width}`).join(", ")} }
fn joined(a: Part, b: Part) -> Part { return Part(${
      fields.map((field) => `a.${field} + b.${field}`).join(", ")
    }); }
${helpers}`,
    own: `
    let last = min((block + 1u) * n.block, n.rows);
    for (var at_row = block * n.block + row; at_row < last; at_row += ROWS) {
      let at = at_row * n.channels + channel;
      ${add}
    }`,
    end,
  });
}
