/**
 * Matrix products: C [m × n] = A [m × k] · B [k × n] for each of `groups`, with A and B as whatever the operands' code gathers.
 *
 * A workgroup makes a tile of C. In each round along K it copies a strip of A and a strip of B to its own memory, as vectors
 * along the rows of C and along the columns, in patches of 4 × 4 numbers: read as four vectors, and turned round where
 * these lie along K. While a strip is multiplied the next one is on its way; where there is memory for two strips of each side, a
 * round has one barrier instead of two. An invocation keeps its part of the tile, `rows` × `columns` numbers, in registers.
 *
 * Where things lie is for hardware that runs 32 or 64 neighbours together, and reads a workgroup's memory as 32 banks of 4 bytes, 8
 * vectors at a time: 8 × 4 neighbours share a block of the tile, so that they read few different vectors, next to each
 * other; and a strip's steps are turned against each other, so that patches of 8 neighbours are stored to different banks.
 *
 * K may be split: then each slice writes its own sums, to be added in order by `sumSlices`.
 */
import { patchesOf } from "./patches.ts";
import { DEPTH, type Operand, range, type Tile } from "./tiles.ts";

/** What operands know of a row or column, and of a step along K; each has its own use for offset, y and x. */
export const PLACES = `
struct Place { offset: u32, y: i32, x: i32, inside: bool }
struct Step { k: u32, offset: u32, y: i32, x: i32 }
`;

export interface Product {
  readonly tile: Tile;
  readonly a: Operand;
  readonly b: Operand;
  /** Defines `store(row, column, sums: vec4f, group, slice)`: takes four neighbours of a row, of which some may be beyond n. */
  readonly store: string;
  /** How many of each side the workgroup has memory for. */
  readonly kept: 1 | 2;
}

/**
 * The kernel. Numbers: m, n, k, groups, slice (steps of K in a slice, a multiple of DEPTH), tiles, tiles_across, and those of
 * operands and store. Grid: tiles, one after another along a row, in rows of `group_index` × (groups · slices).
 */
export function product({ tile, a, b, store, kept }: Product): string {
  const { m, n, rows, columns } = tile;
  const across = n / columns, down = m / rows, invocations = across * down;
  const rowFours = range(rows / 4), columnFours = range(columns / 4);
  // Fours of rows of an invocation lie far apart, so that neighbours read neighbours.
  const sums = range(rows).flatMap((row) =>
    columnFours.map((four) => ({ row, four, name: `c${row}_${four}` }))
  );
  const patches = patchesOf(tile, invocations, { a, b });
  const stripAt = (strip: string, extent: number) => kept === 1 ? "" : `${strip} * ${DEPTH * extent / 4}u + `;
  const step = (index: number) =>
    `{
          ${rowFours.map((i) => `let a${i} = strip_a[at_a + ${index * m / 4 + i * down}u];`).join(" ")}
          ${columnFours.map((i) => `let b${i} = strip_b[at_b + ${index * n / 4 + i * across}u];`).join(" ")}
          ${
      sums.map(({ row, four, name }) => `${name} += a${row >> 2}.${"xyzw"[row % 4]} * b${four};`)
        .join("\n          ")
    }
        }`;
  return `${PLACES}${a.code}${b.code}${store}
var<workgroup> strip_a: array<vec4f, ${kept * DEPTH * m / 4}>;
var<workgroup> strip_b: array<vec4f, ${kept * DEPTH * n / 4}>;

@compute @workgroup_size(${invocations})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = id.z % n.groups;
  let slice = id.z / n.groups;
  let tile = group_index(id);
  if (tile >= n.tiles) { return; }
  let first_row = (tile / n.tiles_across) * ${m}u;
  let first_column = (tile % n.tiles_across) * ${n}u;
  let begin = slice * n.slice;
  let end = min(begin + n.slice, n.k);
  let block = lane / 32u;
  let tx = block % ${across / 8}u * 8u + lane % 8u;
  let ty = block / ${across / 8}u * 4u + lane / 8u % 4u;
  ${patches.declare}
  ${sums.map(({ name }) => `var ${name} = vec4f();`).join(" ")}
  var strip = 0u;
  // Each round loads a strip into registers, multiplies the one before, and then puts the new one in its place.
  for (var k = begin; k < end + ${DEPTH}u; k += ${DEPTH}u) {
    if (k < end) {
      ${patches.load}
    }
    if (k > begin) {
      for (var quad = 0u; quad < ${DEPTH / 4}u; quad++) {
        let turn = 2u * quad;
        let at_a = ${stripAt("(1u - strip)", m)}quad * ${m}u + (ty ^ turn);
        let at_b = ${stripAt("(1u - strip)", n)}quad * ${n}u + (tx ^ turn);
        ${range(4).map(step).join("\n        ")}
      }
    }
    ${kept === 1 ? "workgroupBarrier();" : ""}
    if (k < end) {
      let to_a = ${stripAt("strip", m)}0u;
      let to_b = ${stripAt("strip", n)}0u;
      ${patches.store}
    }
    workgroupBarrier();
    strip = 1u - strip;
  }
  ${
    sums.map(({ row, four, name }) => {
      const at = `first_row + (ty + ${(row >> 2) * down}u) * 4u + ${row % 4}u`;
      return `store(${at}, first_column + (tx + ${four * across}u) * 4u, ${name}, group, slice);`;
    }).join("\n  ")
  }
}
`;
}

/**
 * For `elements`, after the code of `finish`: y = the epilogue of Σ over the slices, in order. Numbers: count (also a slice's),
 * channels, slices.
 */
export function sumSlices(width: "f32" | "vec4f") {
  return {
    helpers: `
fn total_at(i: u32) -> ${width} {
  var sum = read_parts(i);
  var at = n.count + i;
  let end = n.slices * n.count;
  // Four are asked for before the first has to be there.
  for (; at + 3u * n.count < end; at += 4u * n.count) {
    let a = read_parts(at);
    let b = read_parts(at + n.count);
    let c = read_parts(at + 2u * n.count);
    let d = read_parts(at + 3u * n.count);
    sum = sum + a + b + c + d;
  }
  for (; at < end; at += n.count) { sum += read_parts(at); }
  return finish(sum, i, i % n.channels);
}
`,
    formula: "total_at(i)",
  };
}
