/** Pools, with the CPU's windows. */
import type { Value } from "../../../graph/graph.ts";
import type { WithEpilogue } from "../../../ops/epilogue.ts";
import { type Shape, sizeOf } from "../../../shape.ts";
import { adaptive, avgWindows, type Both, maxWindows, reach } from "../../pool_windows.ts";
import type { Span, Window } from "../../windows.ts";
import { type Bound, groupsFor, reads, writes } from "../kernel.ts";
import { numbersOf } from "../wgsl/formula.ts";
import * as pools from "../wgsl/pool.ts";
import { epilogueOf } from "./epilogue.ts";
import type { Lowering } from "./lowering.ts";
import { widthFor } from "./width.ts";

const spanTable = (spans: readonly Span[]): Bound =>
  reads({ words: spans.flatMap(({ start, end }) => [start, end]) }, "i32");

const windowTable = (windows: readonly Window[]): Bound =>
  reads({ words: windows.flatMap(({ start, end, count }) => [start, end, count]) }, "i32");

/** What all pools are told: the image's extents and those of what is pooled, channels in T. */
function sizes(image: Shape, pooled: Shape, made: Shape) {
  const [, channels, height, width] = image as [number, number, number, number];
  const each = numbersOf(widthFor(channels)), count = sizeOf(made) / each;
  const extents = { height, width, channels: channels / each, out_height: pooled[2]!, out_width: pooled[3]! };
  return { numbers: { count, ...extents }, groups: groupsFor(count) };
}

function windowTables([rows, columns]: Both<Window[]>) {
  return { rows: windowTable(rows), columns: windowTable(columns) };
}

function reachTables(image: Shape, windows: Both<Window[]>) {
  const [down, across] = reach(image, windows);
  return { down: spanTable(down), across: spanTable(across) };
}

const max_pool2d: Lowering<"max_pool2d"> = (lower, { inputs: [x], outputs: [y, places], attrs }) => {
  const width = widthFor(x!.shape[1]!), whole = width === "f32" ? "i32" : "vec4i";
  const { numbers, groups } = sizes(x!.shape, y!.shape, y!.shape);
  lower.add({
    kernel: "max_pool2d",
    code: pools.maxPool(width, places !== undefined),
    buffers: {
      x: reads(x, width),
      y: writes(y, width),
      ...(places ? { place: writes(places, whole) } : {}),
      ...windowTables(maxWindows(x!.shape, y!.shape, attrs)),
    },
    numbers: { ...numbers, row_step: attrs.dilation[0], column_step: attrs.dilation[1] },
    groups,
  });
};

const max_pool2d_grad: Lowering<"max_pool2d_grad"> = (lower, node) => {
  const { inputs: [dy, places], outputs: [dx], attrs } = node;
  const width = widthFor(dx!.shape[1]!), { numbers, groups } = sizes(dx!.shape, dy!.shape, dx!.shape);
  const finish = epilogueOf(lower, node, width);
  lower.add({
    kernel: "max_pool2d_grad",
    code: pools.maxPoolGrad(width, finish.code),
    buffers: {
      dy: reads(dy, width),
      place: reads(places, width === "f32" ? "i32" : "vec4i"),
      dx: writes(dx, width),
      ...reachTables(dx!.shape, maxWindows(dx!.shape, dy!.shape, attrs)),
      ...finish.buffers,
    },
    numbers: { ...numbers, ...finish.numbers },
    groups,
  });
};

type Avg = "avg_pool2d" | "adaptive_avg_pool2d";
type Windows<Attrs> = (image: Shape, pooled: Shape, attrs: Attrs) => Both<Window[]>;

function forward<K extends Avg>(kernel: K, windowsOf: Windows<never>): Lowering<K> {
  return (lower, { inputs: [x], outputs: [y], attrs }) => {
    const width = widthFor(x!.shape[1]!);
    lower.add({
      kernel,
      code: pools.avgPool(width),
      buffers: {
        x: reads(x, width),
        y: writes(y, width),
        ...windowTables(windowsOf(x!.shape, y!.shape, attrs as never)),
      },
      ...sizes(x!.shape, y!.shape, y!.shape),
    });
  };
}

function backward<K extends `${Avg}_grad`>(kernel: K, windowsOf: Windows<never>): Lowering<K> {
  return (lower, { inputs, outputs, attrs }) => {
    const [dy] = inputs as [Value], [dx] = outputs as [Value];
    const width = widthFor(dx.shape[1]!), { numbers, groups } = sizes(dx.shape, dy.shape, dx.shape);
    const windows = windowsOf(dx.shape, dy.shape, attrs as never);
    const finish = epilogueOf(lower, { inputs, attrs: attrs as WithEpilogue }, width);
    lower.add({
      kernel,
      code: pools.avgPoolGrad(width, finish.code),
      buffers: {
        dy: reads(dy, width),
        dx: writes(dx, width),
        ...windowTables(windows),
        ...reachTables(dx.shape, windows),
        ...finish.buffers,
      },
      numbers: { ...numbers, ...finish.numbers },
      groups,
    });
  };
}

export const poolLowerings = {
  max_pool2d,
  max_pool2d_grad,
  avg_pool2d: forward("avg_pool2d", avgWindows),
  avg_pool2d_grad: backward("avg_pool2d_grad", avgWindows),
  adaptive_avg_pool2d: forward("adaptive_avg_pool2d", adaptive),
  adaptive_avg_pool2d_grad: backward("adaptive_avg_pool2d_grad", adaptive),
};
