/** Pooling in float64, as plain loops over images in logical order [N, C, H, W]. */
import type { AvgPoolAttrs, MaxPoolAttrs } from "../../core/ops/pool.ts";
import type { Shape } from "../../core/shape.ts";

type Numbers = ArrayLike<number>;

/** What one output sees along one axis. */
interface Taps {
  /** Places of the image; none on the padding. */
  readonly places: readonly number[];
  /** How many of its places lie on image or padding, not beyond. */
  readonly padded: number;
}

/** The windows along one axis of a sliding pool, in PyTorch's convention. */
function slide(
  extent: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  dilation: number,
  ceil: boolean,
): Taps[] {
  const windows: Taps[] = [];
  const reach = dilation * (kernel - 1) + 1;
  for (let start = -before;; start += stride) {
    const fits = start + reach <= extent + after;
    const wanted = ceil && start < extent && start - stride + reach < extent + after;
    if (!fits && !wanted) return windows;
    const taps = Array.from({ length: kernel }, (_, tap) => start + tap * dilation);
    windows.push({
      places: taps.filter((place) => place >= 0 && place < extent),
      padded: taps.filter((place) => place < extent + after).length,
    });
  }
}

type Sliding = Omit<MaxPoolAttrs, "dilation"> & { readonly dilation?: readonly [number, number] };

function slideBoth(shape: Shape, attrs: Sliding): [Taps[], Taps[]] {
  const { kernel, stride, padding: [top, left, bottom, right], dilation = [1, 1], ceil_mode } = attrs;
  return [
    slide(shape[2]!, kernel[0], stride[0], top, bottom, dilation[0], ceil_mode),
    slide(shape[3]!, kernel[1], stride[1], left, right, dilation[1], ceil_mode),
  ];
}

/** The pooled image's shape; an extent may come out as 0, where no window fits. */
export function pooledShape(shape: Shape, attrs: Sliding): Shape {
  const [rows, columns] = slideBoth(shape, attrs);
  return [shape[0]!, shape[1]!, rows.length, columns.length];
}

/** Calls `visit` for each output with the image's offset and its windows of rows and columns. */
function eachOutput(
  [batch, channels, height, width]: Shape,
  [rows, columns]: readonly [readonly Taps[], readonly Taps[]],
  visit: (output: number, plane: number, row: Taps, column: Taps) => void,
): void {
  let output = 0;
  for (let plane = 0; plane < batch! * channels!; plane++) {
    for (const row of rows) {
      for (const column of columns) visit(output++, plane * height! * width!, row, column);
    }
  }
}

export function maxPool2d(shape: Shape, x: Numbers, attrs: MaxPoolAttrs): { y: number[]; where: number[] } {
  const width = shape[3]!;
  const y: number[] = [];
  const where: number[] = [];
  eachOutput(shape, slideBoth(shape, attrs), (output, plane, row, column) => {
    y[output] = -Infinity;
    where[output] = -1;
    for (const h of row.places) {
      for (const w of column.places) {
        const value = x[plane + h * width + w]!;
        if (where[output] === -1 || value > y[output]!) {
          y[output] = value;
          where[output] = h * width + w;
        }
      }
    }
  });
  return { y, where };
}

/** `pooled` is the shape of dy. */
export function maxPool2dGrad(shape: Shape, pooled: Shape, dy: Numbers, where: Numbers): Float64Array {
  const dx = new Float64Array(shape.reduce((product, extent) => product * extent, 1));
  const places = shape[2]! * shape[3]!;
  const outputs = pooled[2]! * pooled[3]!;
  for (let i = 0; i < dy.length; i++) {
    if (where[i]! >= 0) dx[Math.floor(i / outputs) * places + where[i]!]! += dy[i]!;
  }
  return dx;
}

type Divide = (row: Taps, column: Taps) => number;

function mean(shape: Shape, x: Numbers, windows: [Taps[], Taps[]], divisor: Divide): number[] {
  const y: number[] = [];
  eachOutput(shape, windows, (output, plane, row, column) => {
    let sum = 0;
    for (const h of row.places) for (const w of column.places) sum += x[plane + h * shape[3]! + w]!;
    y[output] = sum === 0 ? 0 : sum / divisor(row, column);
  });
  return y;
}

function meanGrad(shape: Shape, dy: Numbers, windows: [Taps[], Taps[]], divisor: Divide): Float64Array {
  const dx = new Float64Array(shape.reduce((product, extent) => product * extent, 1));
  eachOutput(shape, windows, (output, plane, row, column) => {
    for (const h of row.places) {
      for (const w of column.places) dx[plane + h * shape[3]! + w]! += dy[output]! / divisor(row, column);
    }
  });
  return dx;
}

const places: Divide = (row, column) => row.places.length * column.places.length;
const padded: Divide = (row, column) => row.padded * column.padded;

export function avgPool2d(shape: Shape, x: Numbers, attrs: AvgPoolAttrs): number[] {
  return mean(shape, x, slideBoth(shape, attrs), attrs.count_include_pad ? padded : places);
}

export function avgPool2dGrad(shape: Shape, dy: Numbers, attrs: AvgPoolAttrs): Float64Array {
  return meanGrad(shape, dy, slideBoth(shape, attrs), attrs.count_include_pad ? padded : places);
}

/** Place p belongs to cell i where the intervals [p, p + 1] / extent and [i, i + 1] / cells overlap. */
function cells(extent: number, count: number): Taps[] {
  return Array.from({ length: count }, (_, i) => {
    const all = Array.from({ length: extent }, (_, place) => place);
    const mine = all.filter((p) => p * count < (i + 1) * extent && (p + 1) * count > i * extent);
    return { places: mine, padded: mine.length };
  });
}

const cellsOf = (shape: Shape, output: readonly [number, number]): [Taps[], Taps[]] => [
  cells(shape[2]!, output[0]),
  cells(shape[3]!, output[1]),
];

export function adaptiveAvgPool2d(shape: Shape, x: Numbers, output: readonly [number, number]): number[] {
  return mean(shape, x, cellsOf(shape, output), places);
}

export function adaptiveAvgPool2dGrad(
  shape: Shape,
  dy: Numbers,
  output: readonly [number, number],
): Float64Array {
  return meanGrad(shape, dy, cellsOf(shape, output), places);
}
