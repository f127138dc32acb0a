/** Which numbers of an image make the rows of a matrix A, so that a convolution is a product; see assembly/gemm_gather.ts. */
import type { Word } from "../../../program/program.ts";
import type { Tap } from "../../taps.ts";

/** Row (n, i, j) of A has the channels under each tap of the window at pixel (i, j) of image n's grid. */
export interface Gather {
  readonly height: number;
  readonly width: number;
  /** Floats from pixel to pixel: the channels of all groups. */
  readonly pitch: number;
  /** Channels of one group. */
  readonly channels: number;
  /** The grid of pixels that one image has rows for, and how far apart they are in the image. */
  readonly rows: number;
  readonly columns: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly taps: readonly Tap[];
}

/** A vector as an image of one pixel: what makes a linear layer a convolution. */
export function onePixel(channels: number): Gather {
  const taps = [{ dy: 0, dx: 0, place: 0 }];
  return {
    height: 1,
    width: 1,
    pitch: channels,
    channels,
    rows: 1,
    columns: 1,
    strideY: 1,
    strideX: 1,
    taps,
  };
}

/** Without the taps that are outside the image for every pixel of the grid. */
export function withoutDeadTaps(gather: Gather): Gather {
  const { height, width, rows, columns, strideY, strideX } = gather;
  const hits = (count: number, stride: number, offset: number, extent: number) => {
    const first = Math.max(0, Math.ceil(-offset / stride));
    return first < count && first * stride + offset < extent;
  };
  const taps = gather.taps
    .filter(({ dy, dx }) => hits(rows, strideY, dy, height) && hits(columns, strideX, dx, width));
  return { ...gather, taps };
}

/** Whether row r of A is pixel r of all images: a 1 × 1 window that looks at every pixel. */
export function isDense(
  { height, width, rows, columns, strideY, strideX, taps: [tap, ...others] }: Gather,
): boolean {
  const everyPixel = rows === height && columns === width && strideY === 1 && strideX === 1;
  return everyPixel && others.length === 0 && tap?.dy === 0 && tap.dx === 0;
}

/** Where rows are just pixels, all images are one long line of them: one run, whatever the images' extents. */
export function inOneLine(gather: Gather, images: number): Gather {
  if (!isDense(gather)) return gather;
  const pixels = images * gather.rows * gather.columns;
  return { ...gather, height: 1, width: pixels, rows: 1, columns: pixels };
}

/** Numbers in a row of A. */
export function lengthOf({ taps, channels }: Gather): number {
  return taps.length * channels;
}

/** The words of assembly/gemm_gather.ts. */
export function geometry({ taps, ...gather }: Gather): Word {
  const { height, width, pitch, channels, rows, columns, strideY, strideX } = gather;
  const runs: { dy: number; dx: number; taps: number }[] = [];
  for (const { dy, dx } of taps) {
    const run = runs.at(-1);
    if (run && pitch === channels && run.dy === dy && run.dx + run.taps === dx) run.taps++;
    else runs.push({ dy, dx, taps: 1 });
  }
  return {
    table: [
      ...[height, width, pitch, channels, rows, columns, strideY, strideX, runs.length],
      ...runs.flatMap(({ dy, dx, taps }) => [dy, dx, taps]),
    ],
  };
}
