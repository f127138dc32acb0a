/** Convolutions by Winograd's algorithm: when, and the kernels. See wgsl/winograd.ts. */
import type { Value } from "../../../graph/graph.ts";
import type { ConvAttrs } from "../../../ops/conv.ts";
import { groupsFor, reads, writes } from "../kernel.ts";
import { filterOperand, rowsOperand, storeFilters } from "../wgsl/operands.ts";
import { filterTransform, inputTransform, outputTransform, type Side } from "../wgsl/winograd.ts";
import { cutsFor, KERNEL_COST, NUMBER_COST, timeOf } from "./cut.ts";
import type { Finish } from "./epilogue.ts";
import type { Extents4 } from "./gathered.ts";
import { multiply } from "./gemm.ts";
import type { Lower } from "./lowering.ts";
import { widthFor } from "./width.ts";

/** A convolution of 3 × 3 filters with stride 1, or the gradient to its input, which is one too. */
export interface Winograd {
  readonly kernel: string;
  readonly x: Value;
  readonly y: Value;
  readonly image: Extents4;
  readonly result: Extents4;
  /** Above and on the left. */
  readonly padding: readonly [number, number];
  readonly filter: {
    readonly value: Value;
    /** How far apart columns of the product, channels and taps lie; and whether taps count backwards. */
    readonly w_column: number;
    readonly w_channel: number;
    readonly w_tap: number;
    readonly turned: boolean;
  };
  readonly finish: (width: "f32" | "vec4f") => Finish;
}

/** Bytes of transformed tiles that there are at a time: of larger batches some tiles after others. */
const MOST_BYTES = 1 << 27;

/** Whether it can be computed so. */
export function isWinograd({ stride, dilation, groups, padding }: ConvAttrs, [, , height, width]: Extents4) {
  return height === 3 && width === 3 && groups === 1 &&
    [...stride, ...dilation].every((value) => value === 1) &&
    padding.every((value) => value <= 2);
}

/** What choices call it. */
export const WINOGRAD_WAYS: Readonly<Record<string, Side>> = { winograd2: 2, winograd4: 4 };

/** The side of the tiles to compute it with, 0 for the direct way: as was chosen, or what should take less time. */
export function sideFor(lower: Lower, image: Extents4, result: Extents4): Side | 0 {
  if (lower.exact) return 0;
  if (lower.choice !== undefined) return WINOGRAD_WAYS[lower.choice] ?? 0;
  const [images, columns, height, width] = result, channels = image[1];
  const extents = { m: images * height * width, n: columns, k: 9 * channels, groups: 1, splits: true };
  const direct = timeOf(extents, cutsFor(extents)[0]!);
  const times = ([2, 4] as const).map((side) => [timeBy(side, image, result), side] as const);
  const [time, side] = times.reduce((best, one) => one[0] < best[0] ? one : best);
  return time < direct ? side : 0;
}

function tilingOf(m: Side, channels: number, [images, columns, height, width]: Extents4) {
  const down = Math.ceil(height / m), across = Math.ceil(width / m), tiles = images * down * across;
  const places = (m + 2) ** 2;
  const most = Math.max(1, Math.floor(MOST_BYTES / (4 * places * (channels + columns))));
  const rounds = Math.ceil(tiles / most);
  return { down, across, tiles, places, each: Math.ceil(tiles / rounds), rounds };
}

/** As `timeOf` of cut.ts, for Winograd's way. */
function timeBy(m: Side, image: Extents4, result: Extents4): number {
  const channels = image[1], columns = result[1], { each, rounds, places } = tilingOf(m, channels, result);
  const extents = { m: each, n: columns, k: channels, groups: places, splits: false };
  // Transformed numbers are written and read, and those of the images.
  const moved = 2 * places * (channels + columns) * each + m ** 2 * each * (channels + columns);
  const filters = NUMBER_COST * (places + 9) * channels * columns + KERNEL_COST;
  return filters + rounds * (timeOf(extents, cutsFor(extents)[0]!) + NUMBER_COST * moved + 2 * KERNEL_COST);
}

export function winograd(lower: Lower, m: Side, given: Winograd): void {
  const { kernel, x, y, image, result, padding: [top, left], filter, finish } = given;
  const [, channels, height, width] = image, [, columns, rows, across] = result;
  const tiling = tilingOf(m, channels, result), { places } = tiling;
  const { value, turned, ...pitches } = filter;
  const u = lower.scratch(4 * places * columns * channels);
  const v = lower.scratch(4 * places * tiling.each * channels);
  const p = lower.scratch(4 * places * tiling.each * columns);
  const done = finish("f32");
  lower.add({
    kernel: "winograd_filter",
    code: filterTransform(m),
    buffers: { w: reads(value), u: writes(u) },
    numbers: { count: columns * channels, channels, ...pitches, turned: turned ? 1 : 0 },
    groups: groupsFor(columns * channels),
  });
  const four = { k: widthFor(channels), n: widthFor(columns) };
  for (let first = 0; first < tiling.tiles; first += tiling.each) {
    const tiles = Math.min(tiling.each, tiling.tiles - first);
    const numbers = { first, tiles_down: tiling.down, tiles_across: tiling.across };
    lower.add({
      kernel: "winograd_input",
      code: inputTransform(m),
      buffers: { x: reads(x), v: writes(v) },
      numbers: { count: tiles * channels, ...numbers, channels, height, width, top, left },
      groups: groupsFor(tiles * channels),
    });
    const extents = { m: tiles, n: columns, k: channels, groups: places };
    multiply(lower, {
      kernel,
      ...extents,
      cut: cutsFor({ ...extents, splits: false })[0]!,
      a: rowsOperand({ four: four.k === "vec4f" }),
      b: filterOperand({ four: four.k === "vec4f", along: "k", whole: channels % 4 === 0 }),
      store: storeFilters({ four: four.n === "vec4f" }),
      buffers: {
        x: reads(v, four.k),
        w: reads(u, four.k),
        taps: reads({ words: [0, 0, 0] }, "i32"),
        parts: writes(p, four.n),
      },
      // A place's tiles follow those of the place before, as if they were channels of another group.
      numbers: {
        pitch: channels,
        channels: tiles * channels,
        w_group: columns * channels,
        w_column: channels,
        w_tap: 0,
        w_channel: 1,
      },
    });
    lower.add({
      kernel: "winograd_output",
      code: done.code + outputTransform(m),
      buffers: { p: reads(p), y: writes(y), ...done.buffers },
      numbers: { count: tiles * columns, ...numbers, out: columns, rows, columns: across, ...done.numbers },
      groups: groupsFor(tiles * columns),
    });
  }
}
