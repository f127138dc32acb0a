import type { Word } from "../../../program/program.ts";
import type { Shape } from "../../../shape.ts";
import { epilogueOf } from "./epilogue.ts";
import { address, addressOrNull, type Lowering } from "./lowering.ts";
import { adaptive, avgWindows, type Both, maxWindows, reach } from "../../pool_windows.ts";
import type { Span, Window } from "../../windows.ts";

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

const reachTables = (image: Shape, windows: Both<Window[]>): Word[] => reach(image, windows).map(spanTable);

const max_pool2d: Lowering<"max_pool2d"> = (lower, { inputs: [x], outputs: [y, where], attrs }) => {
  const windows = maxWindows(x!.shape, y!.shape, attrs).map(spanTable);
  const buffers = [address(x), address(y), addressOrNull(where)];
  lower.call("max_pool2d", ...buffers, ...sizes(x!.shape, y!.shape), ...windows, ...attrs.dilation);
};

const max_pool2d_grad: Lowering<"max_pool2d_grad"> = (lower, node) => {
  const { inputs: [dy, where], outputs: [dx], attrs } = node;
  const windows = maxWindows(dx!.shape, dy!.shape, attrs);
  const buffers = [address(dy), address(where), address(dx)];
  const tables = [...reachTables(dx!.shape, windows), epilogueOf(lower, node)];
  lower.call("max_pool2d_grad", ...buffers, ...sizes(dx!.shape, dy!.shape), ...tables);
};

const avg_pool2d: Lowering<"avg_pool2d"> = (lower, { inputs: [x], outputs: [y], attrs }) => {
  const windows = avgWindows(x!.shape, y!.shape, attrs).map(windowTable);
  lower.call("avg_pool2d", address(x), address(y), ...sizes(x!.shape, y!.shape), ...windows);
};

const avg_pool2d_grad: Lowering<"avg_pool2d_grad"> = (lower, node) => {
  const { inputs: [dy], outputs: [dx], attrs } = node;
  const windows = avgWindows(dx!.shape, dy!.shape, attrs);
  const tables = [...windows.map(windowTable), ...reachTables(dx!.shape, windows), epilogueOf(lower, node)];
  lower.call("avg_pool2d_grad", address(dy), address(dx), ...sizes(dx!.shape, dy!.shape), ...tables);
};

const adaptive_avg_pool2d: Lowering<"adaptive_avg_pool2d"> = (lower, { inputs: [x], outputs: [y] }) => {
  const windows = adaptive(x!.shape, y!.shape).map(windowTable);
  lower.call("avg_pool2d", address(x), address(y), ...sizes(x!.shape, y!.shape), ...windows);
};

const adaptive_avg_pool2d_grad: Lowering<"adaptive_avg_pool2d_grad"> = (lower, node) => {
  const { inputs: [dy], outputs: [dx] } = node;
  const windows = adaptive(dx!.shape, dy!.shape);
  const tables = [...windows.map(windowTable), ...reachTables(dx!.shape, windows), epilogueOf(lower, node)];
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
