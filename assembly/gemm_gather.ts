/**
 * Convolution as matrix product without the matrix: rows of im2col are read straight from the image.
 *
 * A row belongs to a pixel (n, i, j) of a grid; its K numbers are the channels under each tap of the window, zeros
 * where the tap is outside the image. Tap t looks at pixel (i · strideY + dy, j · strideX + dx). Taps side by side
 * whose channels lie one after another in memory form one run. A geometry is a table of words:
 *
 *     0 height, 1 width, 2 pitch    the image: pixels are `pitch` floats apart, rows `width` pixels
 *     3 channels                    that a tap reads
 *     4 rows, 5 columns             the grid of one image
 *     6 strideY, 7 strideX
 *     8 runs                        then for each run: dy, dx, taps
 */
import { copyFloats, zeroFloats } from "./simd";

const RUNS: usize = 36;

const RUN_BYTES: usize = 12;

export function gridRows(geometry: usize): i32 {
  return load<i32>(geometry, 16);
}

export function gridColumns(geometry: usize): i32 {
  return load<i32>(geometry, 20);
}

/** Channels that a tap reads: a group's. */
export function channelsOf(geometry: usize): i32 {
  return load<i32>(geometry, 12);
}

/** Floats from pixel to pixel of the image. */
export function pitchOf(geometry: usize): i32 {
  return load<i32>(geometry, 8);
}

/** (dy, dx) of a tap, in the upper and lower half. */
export function tapOf(geometry: usize, tap: i32): i64 {
  let run = geometry + RUNS;
  for (; tap >= load<i32>(run, 8); run += RUN_BYTES) tap -= load<i32>(run, 8);
  return (<i64> load<i32>(run) << 32) | <i64> <u32> (load<i32>(run, 4) + tap);
}

/** Bytes of one image. */
export function imageBytes(geometry: usize): usize {
  return (<usize> load<i32>(geometry) * <usize> load<i32>(geometry, 4) * <usize> load<i32>(geometry, 8)) << 2;
}

/** Writes numbers `start` … `end − 1` of the row of grid pixel (i, j) to `to`; `image` points at its channels. */
export function gatherRow(
  to: usize,
  geometry: usize,
  image: usize,
  i: i32,
  j: i32,
  start: i32,
  end: i32,
): void {
  const height = load<i32>(geometry), width = load<i32>(geometry, 4), pitch = load<i32>(geometry, 8);
  const channels = load<i32>(geometry, 12);
  const top = i * load<i32>(geometry, 24), left = j * load<i32>(geometry, 28);
  let run = geometry + RUNS;
  const lastRun = run + <usize> load<i32>(geometry, 32) * RUN_BYTES;
  for (let runStart = 0; run < lastRun && runStart < end; run += RUN_BYTES) {
    const taps = load<i32>(run, 8), length = taps * channels;
    const from = max(start - runStart, 0), until = min(end - runStart, length);
    runStart += length;
    if (from >= until) continue;
    const y = top + load<i32>(run), x = left + load<i32>(run, 4);
    let inside = until, outside = until;
    if (<u32> y < <u32> height) {
      inside = min(max(max(-x, 0) * channels, from), until);
      outside = max(min(min(taps, width - x) * channels, until), inside);
    }
    zeroFloats(to, inside - from);
    const source = image + (<usize> ((y * width + x) * pitch + inside) << 2);
    copyFloats(to + (<usize> (inside - from) << 2), source, outside - inside);
    zeroFloats(to + (<usize> (outside - from) << 2), until - outside);
    to += <usize> (until - from) << 2;
  }
}
