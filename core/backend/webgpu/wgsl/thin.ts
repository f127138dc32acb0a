/**
 * Products one side of which is thin: tiles would be mostly empty there, and what a workgroup keeps for all its invocations would be
 * of use to few. C [m × n] = A [m × k] · B [k × n] for each of `groups`, of the operands and with the `store` of gemm.ts.
 */
import { PLACES } from "./gemm.ts";
import { type Operand, range } from "./tiles.ts";

/** Rows or columns that count as thin: an invocation has a sum for each in its registers. */
export const THIN = 16;

/** Invocations of a workgroup. */
export const THIN_LANES = 64;

/** Steps along K for which a workgroup keeps B. */
const KEPT_STEPS = 64;

/**
 * Few columns: an invocation makes `each` rows of C and reads its rows of A by itself; B, number by number, is in the workgroup's
 * memory, and so is what a step along K means. Numbers: m, n, k, groups, and those of operands and store. Grid: workgroups of
 * rows by `group_index` × groups.
 */
export function fewColumns(columns: number, each: number, a: Operand, b: Operand, store: string): string {
  const fours = range(Math.ceil(columns / 4));
  const own = range(each);
  const add = (step: number, of: string) =>
    `{
        ${fours.map((four) => `let b${four} = filters[at + ${step * fours.length + four}u];`).join(" ")}
        ${
      own.map((i) => fours.map((four) => `c${i}_${four} += x${i}${of} * b${four};`).join(" ")).join(
        "\n        ",
      )
    }
      }`;
  return `${PLACES}${a.code}${b.code}${store}
var<workgroup> steps: array<Step, ${KEPT_STEPS}>;
var<workgroup> filters: array<vec4f, ${KEPT_STEPS * fours.length}>;

@compute @workgroup_size(${THIN_LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = id.z;
  let row = group_index(id) * ${each * THIN_LANES}u + lane;
  ${own.map((i) => `let place_${i} = a_place(row + ${i * THIN_LANES}u, group);`).join(" ")}
  ${own.flatMap((i) => fours.map((four) => `var c${i}_${four} = vec4f();`)).join(" ")}
  for (var first = 0u; first < n.k; first += ${KEPT_STEPS}u) {
    let count = min(n.k - first, ${KEPT_STEPS}u);
    workgroupBarrier();
    for (var i = lane; i < count; i += ${THIN_LANES}u) { steps[i] = a_step(first + i); }
    for (var i = lane; i < count * ${fours.length}u; i += ${THIN_LANES}u) {
      let step = b_step(first + i / ${fours.length}u);
      let column = i % ${fours.length}u * 4u;
      filters[i] = vec4f(${range(4).map((i) => `b_at(b_place(column + ${i}u, group), step)`).join(", ")});
    }
    workgroupBarrier();
    for (var i = 0u; i < count; i += ${a.four ? 4 : 1}u) {
      let step = steps[i];
      ${own.map((i) => `let x${i} = a_at(place_${i}, step);`).join(" ")}
      let at = i * ${fours.length}u;
      ${a.four ? range(4).map((step) => add(step, `.${"xyzw"[step]}`)).join("\n      ") : add(0, "")}
    }
  }
  ${
    own.flatMap((i) =>
      fours.map((four) => `store(row + ${i * THIN_LANES}u, ${4 * four}u, c${i}_${four}, group, 0u);`)
    ).join("\n  ")
  }
}
`;
}

/**
 * Few rows, and a long K: an invocation makes four columns of C, in all rows, over a run of steps; invocations with the same columns then
 * add up. K is split into slices, to be added in order by `sumSlices`. Numbers: m, n, k, groups, fours (of columns of a
 * workgroup), runs (how many invocations have the same), run (steps, an even number), and those of operands and store. Grid: workgroups of columns × slices ×
 * groups.
 */
export function fewRows(rows: number, a: Operand, b: Operand, store: string): string {
  const all = range(rows),
    bPlaces = range(b.four ? 1 : 4),
    aPlaces = range(a.four ? Math.ceil(rows / 4) : rows);
  const load = (step: number) =>
    `let x_${step} = vec4f(${bPlaces.map((i) => `b_at(b_place_${i}, b)`).join(", ")}); ${
      aPlaces.map((i) => `let a${i}_${step} = a_at(a_place_${i}, a);`).join(" ")
    } a = a_next(a); b = b_next(b);`;
  const aAt = (row: number, step: number) =>
    a.four ? `a${row >> 2}_${step}.${"xyzw"[row % 4]}` : `a${row}_${step}`;
  const add = (step: number) => all.map((row) => `c${row} += ${aAt(row, step)} * x_${step};`).join(" ");
  return `${PLACES}${a.code}${b.code}${store}
var<workgroup> sums: array<vec4f, ${THIN_LANES}>;

@compute @workgroup_size(${THIN_LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = id.z;
  let column = (id.x * n.fours + lane % n.fours) * 4u;
  let own = lane / n.fours;
  let begin = min((id.y * n.runs + own) * n.run, n.k);
  let end = select(begin, min(begin + n.run, n.k), own < n.runs);
  ${aPlaces.map((i) => `let a_place_${i} = a_place(${a.four ? 4 * i : i}u, group);`).join(" ")}
  ${bPlaces.map((i) => `let b_place_${i} = b_place(column + ${i}u, group);`).join(" ")}
  ${all.map((row) => `var c${row} = vec4f();`).join(" ")}
  var a = a_step(begin);
  var b = b_step(begin);
  // Two steps are read before the first is needed; after the last there are zeros.
  for (var k = begin; k < end; k += 2u) {
    ${range(2).map(load).join("\n    ")}
    ${range(2).map(add).join("\n    ")}
  }
  let sums_here = own == 0u;
${
    all.map((row) =>
      `  sums[lane] = c${row};
  workgroupBarrier();
  if (sums_here) {
    for (var i = 1u; i < n.runs; i++) { c${row} += sums[lane + i * n.fours]; }
    store(${row}u, column, c${row}, group, id.y);
  }
  workgroupBarrier();`
    ).join("\n")
  }
}
`;
}
