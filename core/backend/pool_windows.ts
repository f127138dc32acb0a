/** Which places of an image each output of a pool sees, down and across, and the other way round. */
import type { AvgPoolAttrs, MaxPoolAttrs, PoolAttrs } from "../ops/pool.ts";
import type { Shape } from "../shape.ts";
import { adaptiveWindows, slidingWindows, type Span, type Window, windowsOver } from "./windows.ts";

/** Of the rows and of the columns. */
export type Both<T> = readonly [T, T];

function sliding(
  image: Shape,
  pooled: Shape,
  { kernel, stride, padding: [top, left, bottom, right] }: PoolAttrs,
  dilation: Both<number>,
  countPadding: boolean,
): Both<Window[]> {
  const along = (axis: 0 | 1, before: number, after: number) =>
    slidingWindows({
      extent: image[2 + axis]!,
      outputs: pooled[2 + axis]!,
      kernel: kernel[axis],
      stride: stride[axis],
      before,
      after,
      dilation: dilation[axis],
      countPadding,
    });
  return [along(0, top, bottom), along(1, left, right)];
}

export const maxWindows = (image: Shape, pooled: Shape, attrs: MaxPoolAttrs): Both<Window[]> =>
  sliding(image, pooled, attrs, attrs.dilation, false);

export const avgWindows = (image: Shape, pooled: Shape, attrs: AvgPoolAttrs): Both<Window[]> =>
  sliding(image, pooled, attrs, [1, 1], attrs.count_include_pad);

export const adaptive = (image: Shape, pooled: Shape): Both<Window[]> => [
  adaptiveWindows(image[2]!, pooled[2]!),
  adaptiveWindows(image[3]!, pooled[3]!),
];

/** The windows that reach over each place of the image. */
export const reach = (image: Shape, [rows, columns]: Both<Window[]>): Both<Span[]> => [
  windowsOver(image[2]!, rows),
  windowsOver(image[3]!, columns),
];
