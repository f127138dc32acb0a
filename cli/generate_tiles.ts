/**
 * Writes assembly/gemm_tiles.ts: the micro-kernels, unrolled. By a program, since AssemblyScript can neither unroll loops
 * nor index registers. `deno task build` runs it.
 */

const FILE = "assembly/gemm_tiles.ts";

/** Steps of K of one round of the inner loop: addresses of A and V8's limits for them are computed once a round. */
const UNROLL = 4;

interface Tile {
  readonly rows: number;
  readonly columns: number;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);

/** Vectors of a row. */
const vectors = ({ columns }: Tile) => range(columns / 4);

/** A load's optional offset. */
const plus = (bytes: number) => bytes ? `, ${bytes}` : "";

/** Where row `r` of A is read. */
const rowOf = (r: number) => r ? `a${r}` : "a";

/** The rows' addresses for one round. */
const findRows = ({ rows }: Tile) => range(rows - 1).map((r) => `a${r + 1} = ${rowOf(r)} + pitch;`);

/** One step of K: A's numbers are `step` floats behind the rows' addresses, B's row is at `b`. */
function multiplyAdd(tile: Tile, step: number): string[] {
  const loads = vectors(tile).map((v) => `b${v} = v128.load(b${plus(16 * v)});`);
  const row = (r: number) => [
    `x = v128.load32_splat(${rowOf(r)}${plus(4 * step)});`,
    ...vectors(tile).map((v) => `c${r}${v} = f32x4.relaxed_madd(x, b${v}, c${r}${v});`),
  ];
  return [...loads, ...range(tile.rows).flatMap(row), `b += ${4 * tile.columns};`];
}

/** Adds what C or the bias holds to row `r` of sums, and stores it. All loads, then all stores, so that V8 can pair them. */
function store(tile: Tile, r: number): string[] {
  const name = (v: number) => `c${r}${v}`;
  return [
    `c = load<usize>(rows${plus(4 * r)}) + offset;`,
    "s = bias ? bias : c;",
    ...vectors(tile).map((v) => `${name(v)} = f32x4.add(${name(v)}, v128.load(s${plus(16 * v)}));`),
    ...vectors(tile).map((v) => `v128.store(c, ${name(v)}${plus(16 * v)});`),
  ];
}

function microKernel(tile: Tile): string[] {
  const { rows, columns } = tile;
  const zero = (name: string) => `${name} = f32x4.splat(0)`;
  return [
    `export function micro${rows}x${columns}(`,
    ...indent([
      "a: usize",
      "pitch: usize",
      "b: usize",
      "depth: i32",
      "rows: usize",
      "offset: usize",
      "bias: usize",
    ])
      .map((line) => `${line},`),
    "): void {",
    ...indent([
      ...range(rows).map((r) => `let ${vectors(tile).map((v) => zero(`c${r}${v}`)).join(", ")};`),
      `let ${vectors(tile).map((v) => `b${v}: v128`).join(", ")}, x: v128;`,
      `let ${range(rows - 1).map((r) => `${rowOf(r + 1)}: usize`).join(", ")};`,
      `const end = a + (<usize> depth << 2), whole = a + (<usize> (depth & ~${UNROLL - 1}) << 2);`,
      `for (; a < whole; a += ${4 * UNROLL}) {`,
      ...indent(findRows(tile)),
      ...indent(range(UNROLL).flatMap((step) => multiplyAdd(tile, step))),
      "}",
      "for (; a < end; a += 4) {",
      ...indent(findRows(tile)),
      ...indent(multiplyAdd(tile, 0)),
      "}",
      "let c: usize, s: usize;",
      ...range(rows).flatMap((r) => store(tile, r)),
    ]),
    "}",
  ];
}

/** The text of assembly/gemm_tiles.ts. */
export function gemmTiles(): string {
  const header = [
    "/** Written by cli/generate_tiles.ts: the micro-kernels, which gemm_micro.ts describes. */",
  ];
  const kernels = [{ rows: 6, columns: 8 }, { rows: 6, columns: 16 }].flatMap((t) => ["", ...microKernel(t)]);
  return [...header, ...kernels, ""].join("\n");
}

if (import.meta.main) await Deno.writeTextFile(FILE, gemmTiles());
