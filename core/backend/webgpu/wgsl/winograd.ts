/**
 * Winograd's convolutions of 3 × 3 filters with stride 1 (Lavin & Gray 2015, https://arxiv.org/abs/1509.09308): a tile of m × m outputs
 * y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A takes (m + 2)² products where the direct way takes 9m². Filters and tiles of the input are
 * transformed; for each place of a tile, all tiles' numbers times all filters' are a product of matrices; the results are transformed
 * back. An invocation transforms one channel of a tile in registers, and its neighbours the channels next to it.
 */

/** Where polynomials are evaluated, beside ∞: for m = 4 as on the CPU, whose rounding errors are half of those of 0, ±1, ±2. */
const POINTS = { 2: [0, 1, -1], 4: [0, 0.75, -0.75, 1.5, -1.5] } as const;

/** Outputs on a side of a tile. */
export type Side = keyof typeof POINTS;

type Matrix = readonly (readonly number[])[];

/** Coefficients of Π (x − root), from that of 1 on. */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce<number[]>(
    (product, root) =>
      [...product, 0].map((c, i) => (product[i - 1] ?? 0) - root * (i < product.length ? c : 0)),
    [1],
  );
}

/** Bᵀ, G and Aᵀ by Toom and Cook: polynomials through the points. */
export function matricesFor(m: Side): Readonly<Record<"input" | "filter" | "output", Matrix>> {
  const points: readonly number[] = POINTS[m], size = m + 2;
  const others = points.map((_, i) => points.filter((_, j) => j !== i));
  const scales = points.map((point, i) =>
    others[i]!.reduce((product, other) => product * (point - other), 1)
  );
  return {
    input: [...others.map((roots) => [...polynomial(roots), 0]), polynomial(points)],
    filter: [...points.map((point, i) => [0, 1, 2].map((power) => point ** power / scales[i]!)), [0, 0, 1]],
    output: Array.from(
      { length: m },
      (_, power) =>
        Array.from(
          { length: size },
          (_, i) => i < points.length ? points[i]! ** power : power === m - 1 ? 1 : 0,
        ),
    ),
  };
}

/** Statements that declare `to`0 … as the matrix times `from`. */
function transform(matrix: Matrix, from: (j: number) => string, to: (i: number) => string): string {
  return matrix.map((row, i) => {
    const terms = row.flatMap((factor, j) =>
      factor === 0 ? [] : factor === 1 ? [from(j)] : [`${factor} * ${from(j)}`]
    );
    return `  let ${to(i)} = ${terms.join(" + ").replaceAll("+ -", "- ")};`;
  }).join("\n");
}

/** Statements that declare `to`i_j as matrix · from · matrixᵀ, from of `size` × `size`. */
function transformBoth(matrix: Matrix, from: string, to: string): string {
  const size = matrix[0]!.length;
  const columns = Array.from(
    { length: size },
    (_, j) => transform(matrix, (i) => `${from}${i}_${j}`, (i) => `half${i}_${j}`),
  );
  const rows = matrix.map((_, i) => transform(matrix, (j) => `half${i}_${j}`, (j) => `${to}${i}_${j}`));
  return [...columns, ...rows].join("\n");
}

const square = <T>(size: number, each: (i: number, j: number) => T): T[] =>
  Array.from({ length: size * size }, (_, at) => each(Math.floor(at / size), at % size));

/**
 * u [places, columns, channels] of filters; an invocation each of columns × channels. Numbers: count, channels, w_column, w_channel,
 * w_tap (how far apart they lie), and `turned`, 1 where the filter is turned round, else 0.
 */
export function filterTransform(m: Side): string {
  return `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group_index(group) * LANES + lane;
  if (i >= n.count) { return; }
  let start = i / n.channels * n.w_column + i % n.channels * n.w_channel;
${
    square(3, (r, s) =>
      `  let g${r}_${s} = read_w(start + select(${3 * r + s}u, ${
        8 - 3 * r - s
      }u, n.turned == 1u) * n.w_tap);`)
      .join("\n")
  }
${transformBoth(matricesFor(m).filter, "g", "u")}
${square(m + 2, (i, j) => `  write_u(${(m + 2) * i + j}u * n.count + i, u${i}_${j});`).join("\n")}
}
`;
}

/** Tile and channel of an invocation, and where the tile's outputs begin. */
const head = (m: Side, channels: string) => `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group_index(group) * LANES + lane;
  if (i >= n.count) { return; }
  let channel = i % ${channels};
  let tile = n.first + i / ${channels};
  let line = tile / n.tiles_across;
  let image = line / n.tiles_down;
  let y = line % n.tiles_down * ${m}u;
  let x = tile % n.tiles_across * ${m}u;
`;

/**
 * v [places, tiles, channels] of images [N, height, width, channels], from tile `first` on; an invocation each of tiles × channels. What is
 * outside is 0. Numbers: count, first, channels, height, width, tiles_down, tiles_across, top, left.
 */
export function inputTransform(m: Side): string {
  const size = m + 2;
  return `${head(m, "n.channels")}
${
    Array.from({ length: size }, (_, i) => `  let y${i} = y + ${i}u - n.top; let x${i} = x + ${i}u - n.left;`)
      .join("\n")
  }
  let start = image * n.height * n.width;
${
    square(size, (i, j) =>
      `  let in${i}_${j} = y${i} < n.height && x${j} < n.width;
  let d${i}_${j} = select(0.0, read_x(select(0u, (start + y${i} * n.width + x${j}) * n.channels + channel, in${i}_${j})), in${i}_${j});`)
      .join("\n")
  }
${transformBoth(matricesFor(m).input, "d", "v")}
${square(size, (i, j) => `  write_v(${size * i + j}u * n.count + i, v${i}_${j});`).join("\n")}
}
`;
}

/**
 * y [N, rows, columns, out], after the code of `finish`, of p [places, tiles, out]; an invocation each of tiles × out. Numbers: count, first, out, rows,
 * columns, tiles_down, tiles_across.
 */
export function outputTransform(m: Side): string {
  const size = m + 2;
  return `${head(m, "n.out")}
${square(size, (i, j) => `  let p${i}_${j} = read_p(${size * i + j}u * n.count + i);`).join("\n")}
${transformBoth(matricesFor(m).output, "p", "y")}
  let start = (image * n.rows + y) * n.columns + x;
${
    square(m, (i, j) =>
      `  if (y + ${i}u < n.rows && x + ${j}u < n.columns) {
    let at = (start + ${i}u * n.columns + ${j}u) * n.out + channel;
    write_y(at, finish(y${i}_${j}, at, channel));
  }`).join("\n")
  }
}
`;
}
