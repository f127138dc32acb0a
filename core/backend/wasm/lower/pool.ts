import type { AvgPoolAttrs, MaxPoolAttrs, PoolAttrs } from "../../../ops/pool.ts";
import type { Word } from "../../../program/program.ts";
import type { Shape } from "../../../shape.ts";
import { epilogueOf } from "./epilogue.ts";
import { address, addressOrNull, type Lowering } from "./lowering.ts";
import { adaptiveWindows, slidingWindows, type Span, type Window, windowsOver } from "../../windows.ts";

/** Of the rows and of the columns. */
type Both<T> = readonly [T, T];

const spanTable = (spans: readonly Span[]): Word => ({
  table: spans.flatMap(({ start, end }) => [start, end]),
});

const windowTable = (windows: readonly Window[]): Word => ({
  table: windows.flatMap(({ start, end, count }) => [start, end, count]),
});

/** N, H, W, C, OH, OW: what every pool's kernel is told. */
function sizes(image: Shape, pooled: Shape): number[] {
  const [n, channels, height, width] = image as [number, number, number, number];
  return [n, height, width, channels, pooled[2]!, pooled[3]!];
}

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

const maxWindows = (image: Shape, pooled: Shape, attrs: MaxPoolAttrs) =>
  sliding(image, pooled, attrs, attrs.dilation, false);

const avgWindows = (image: Shape, pooled: Shape, attrs: AvgPoolAttrs) =>
  sliding(image, pooled, attrs, [1, 1], attrs.count_include_pad);

const adaptive = (image: Shape, pooled: Shape): Both<Window[]> => [
  adaptiveWindows(image[2]!, pooled[2]!),
  adaptiveWindows(image[3]!, pooled[3]!),
];

const reach = (image: Shape, [rows, columns]: Both<Window[]>): Word[] => [
  spanTable(windowsOver(image[2]!, rows)),
  spanTable(windowsOver(image[3]!, columns)),
];

const max_pool2d: Lowering<"max_pool2d"> = (lower, { inputs: [x], outputs: [y, where], attrs }) => {
  const windows = maxWindows(x!.shape, y!.shape, attrs).map(spanTable);
  const buffers = [address(x), address(y), addressOrNull(where)];
  lower.call("max_pool2d", ...buffers, ...sizes(x!.shape, y!.shape), ...windows, ...attrs.dilation);
};

const max_pool2d_grad: Lowering<"max_pool2d_grad"> = (lower, node) => {
  const { inputs: [dy, where], outputs: [dx], attrs } = node;
  const windows = maxWindows(dx!.shape, dy!.shape, attrs);
  const buffers = [address(dy), address(where), address(dx)];
  const tables = [...reach(dx!.shape, windows), epilogueOf(lower, node)];
  lower.call("max_pool2d_grad", ...buffers, ...sizes(dx!.shape, dy!.shape), ...tables);
};

const avg_pool2d: Lowering<"avg_pool2d"> = (lower, { inputs: [x], outputs: [y], attrs }) => {
  const windows = avgWindows(x!.shape, y!.shape, attrs).map(windowTable);
  lower.call("avg_pool2d", address(x), address(y), ...sizes(x!.shape, y!.shape), ...windows);
};

const avg_pool2d_grad: Lowering<"avg_pool2d_grad"> = (lower, node) => {
  const { inputs: [dy], outputs: [dx], attrs } = node;
  const windows = avgWindows(dx!.shape, dy!.shape, attrs);
  const tables = [...windows.map(windowTable), ...reach(dx!.shape, windows), epilogueOf(lower, node)];
  lower.call("avg_pool2d_grad", address(dy), address(dx), ...sizes(dx!.shape, dy!.shape), ...tables);
};

const adaptive_avg_pool2d: Lowering<"adaptive_avg_pool2d"> = (lower, { inputs: [x], outputs: [y] }) => {
  const windows = adaptive(x!.shape, y!.shape).map(windowTable);
  lower.call("avg_pool2d", address(x), address(y), ...sizes(x!.shape, y!.shape), ...windows);
};

const adaptive_avg_pool2d_grad: Lowering<"adaptive_avg_pool2d_grad"> = (lower, node) => {
  const { inputs: [dy], outputs: [dx] } = node;
  const windows = adaptive(dx!.shape, dy!.shape);
  const tables = [...windows.map(windowTable), ...reach(dx!.shape, windows), epilogueOf(lower, node)];
  lower.call("avg_pool2d_grad", address(dy), address(dx), ...sizes(dx!.shape, dy!.shape), ...tables);
};

export const poolLowerings = {
  max_pool2d,
  max_pool2d_grad,
  avg_pool2d,
  avg_pool2d_grad,
  adaptive_avg_pool2d,
  adaptive_avg_pool2d_grad,
};
