/**
 * Matrix products: C [m × n] = A [m × k] · B [k × n] for each of `groups`, with A and B as whatever the operands' code gathers.
 *
 * A workgroup makes a tile of C. In each step along K it copies a strip of A and a strip of B to its own memory, as vectors
 * along the rows of C and along the columns; each invocation copies one patch of 4 × 4 numbers, which it loads as four
 * vectors and turns round where these lie along K. While a strip is multiplied the next one is on its way. An
 * invocation keeps its part of the tile, `rows` × `columns` numbers, in registers.
 *
 * K may be split: then each slice writes its own sums, to be added in order by `sumSlices`.
 */

/** How the work is cut. */
export interface Tile {
  /** Rows and columns of C that a workgroup makes. */
  readonly m: number;
  readonly n: number;
  /** Rows and columns of C that an invocation makes, each a multiple of 4. */
  readonly rows: number;
  readonly columns: number;
}

/** Steps of K that are copied at once. */
export const DEPTH = 16;

/** For each tile, patches of A and B together are as many as invocations. */
export const TILES = {
  large: { m: 128, n: 128, rows: 8, columns: 8 },
  medium: { m: 64, n: 64, rows: 8, columns: 4 },
  small: { m: 32, n: 32, rows: 4, columns: 4 },
} as const satisfies Readonly<Record<string, Tile>>;

/**
 * One side of a product. The code defines, for side a (b likewise), `struct APlace`; `a_place(i: u32, group: u32) → APlace` of row
 * (column) i; and `a_load(place, k) → vec4f`: along K the numbers k … k + 3 of row i, else those of rows i … i + 3 at k. What
 * lies outside is 0.
 */
export interface Operand {
  readonly code: string;
  readonly along: "k" | "mn";
}

export interface Product {
  readonly tile: Tile;
  readonly a: Operand;
  readonly b: Operand;
  /** Defines `store(row, column, sums: vec4f, group, slice)`: takes four neighbours of a row, of which some may be beyond n. */
  readonly store: string;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/**
 * The kernel. Numbers: m, n, k, groups, slice (steps of K in a slice, a multiple of DEPTH), tiles, tiles_across, and those of
 * operands and store. Grid: tiles, one after another along a row, in rows of `group_index` × (groups · slices).
 */
export function product({ tile, a, b, store }: Product): string {
  const { m, n, rows, columns } = tile;
  const across = n / columns, down = m / rows, invocations = across * down;
  const rowFours = range(rows / 4), columnFours = range(columns / 4), rowsOfOne = range(rows);
  // Rows of an invocation are a vector each, far apart, so that neighbours read neighbours.
  const sums = rowsOfOne.flatMap((row) => columnFours.map((four) => `c${row}_${four}`));
  return `${a.code}${b.code}${store}
var<workgroup> strip_a: array<vec4f, ${DEPTH * m / 4}>;
var<workgroup> strip_b: array<vec4f, ${DEPTH * n / 4}>;

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
  let copies_a = lane < ${invocations / 2}u;
  let patch_index = lane % ${invocations / 2}u;
  ${patchPlaces(a, "a", m)}
  ${patchPlaces(b, "b", n)}
  let tx = lane % ${across}u;
  let ty = lane / ${across}u;
  ${sums.map((name) => `var ${name} = vec4f();`).join(" ")}
  var p0 = vec4f(); var p1 = vec4f(); var p2 = vec4f(); var p3 = vec4f();
  // Each round loads a strip into registers, multiplies the one before, and then puts the new one in its place.
  for (var k = begin; k < end + ${DEPTH}u; k += ${DEPTH}u) {
    if (k < end) {
      if (copies_a) { ${loadPatch(a, "a")} } else { ${loadPatch(b, "b")} }
    }
    if (k > begin) {
      for (var step = 0u; step < ${DEPTH}u; step++) {
        ${
    rowFours.map((four) => `let a${four} = strip_a[step * ${m / 4}u + ty + ${four * down}u];`).join(
      "\n        ",
    )
  }
        ${
    columnFours.map((four) => `let b${four} = strip_b[step * ${n / 4}u + tx + ${four * across}u];`).join(
      "\n        ",
    )
  }
        ${
    rowsOfOne.flatMap((row) =>
      columnFours.map((four) => `c${row}_${four} += a${row >> 2}.${"xyzw"[row % 4]} * b${four};`)
    ).join("\n        ")
  }
      }
    }
    workgroupBarrier();
    if (k < end) {
      if (copies_a) { ${storePatch(a, "a", m)} } else { ${storePatch(b, "b", n)} }
    }
    workgroupBarrier();
  }
  ${
    rowsOfOne.flatMap((row) =>
      columnFours.map((four) => {
        const at = `first_row + (ty + ${(row >> 2) * down}u) * 4u + ${row % 4}u`;
        return `store(${at}, first_column + (tx + ${four * across}u) * 4u, c${row}_${four}, group, slice);`;
      })
    ).join("\n  ")
  }
}
`;
}

/** Which patch of the strip an invocation copies: along K, neighbours take neighbouring steps; else neighbouring rows. */
function patchPlaces({ along }: Operand, side: "a" | "b", extent: number): string {
  const first = side === "a" ? "first_row" : "first_column";
  if (along === "mn") {
    return `let ${side}_four = patch_index % ${extent / 4}u;
  let ${side}_step = (patch_index / ${extent / 4}u) * 4u;
  let ${side}0 = ${side}_place(${first} + 4u * ${side}_four, group);`;
  }
  return `let ${side}_four = patch_index / ${DEPTH / 4}u;
  let ${side}_step = (patch_index % ${DEPTH / 4}u) * 4u;
  ${
    range(4).map((i) => `let ${side}${i} = ${side}_place(${first} + 4u * ${side}_four + ${i}u, group);`).join(
      "\n  ",
    )
  }`;
}

function loadPatch({ along }: Operand, side: "a" | "b"): string {
  return range(4).map((i) =>
    along === "k"
      ? `p${i} = ${side}_load(${side}${i}, k + ${side}_step);`
      : `p${i} = ${side}_load(${side}0, k + ${side}_step + ${i}u);`
  ).join(" ");
}

/** Strips are [step][row], four rows a vector: what was loaded along K is turned round. */
function storePatch({ along }: Operand, side: "a" | "b", extent: number): string {
  return range(4).map((i) => {
    const vector = along === "mn"
      ? `p${i}`
      : `vec4f(${range(4).map((j) => `p${j}.${"xyzw"[i]}`).join(", ")})`;
    return `strip_${side}[(${side}_step + ${i}u) * ${extent / 4}u + ${side}_four] = ${vector};`;
  }).join(" ");
}

/** For `elements` behind `finish`: y = the epilogue of Σ over the slices, in order. Numbers: count (also a slice's), channels, slices. */
export function sumSlices(width: "f32" | "vec4f") {
  return {
    helpers: `
fn total_at(i: u32) -> ${width} {
  var sum = read_parts(i);
  for (var slice = 1u; slice < n.slices; slice++) { sum += read_parts(slice * n.count + i); }
  return finish(sum, i, i % n.channels);
}
`,
    formula: "total_at(i)",
  };
}
