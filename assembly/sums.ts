/** Sums in an order that depends on shapes alone, so that any number of threads gives the same bits. */
import { address, draw, integer } from "./abi";
import { copyFloats, zeroFloats } from "./simd";

/**
 * y[row][t][channel] = Σ_chunks parts[chunk][row][places[t]][block + channel], zero where places[t] is −1.
 * The rows of parts have `merged` blocks of channels a tap; row r takes block (r / rowsOfBlock) mod merged.
 * Arguments: parts, y, chunks, rows, floats of a row of parts, channels, merged, rowsOfBlock, taps, table of places.
 */
export function sumChunks(args: usize, thread: i32): void {
  const parts = address(args, 0), y = address(args, 1), chunks = integer(args, 2), rows = integer(args, 3);
  const length = integer(args, 4), channels = integer(args, 5), merged = integer(args, 6);
  const rowsOfBlock = integer(args, 7), taps = integer(args, 8), places = address(args, 9);
  const chunkBytes = <usize> rows * <usize> length * 4;
  for (let row = draw(args); row < rows; row = draw(args)) {
    const block = (row / rowsOfBlock) % merged;
    const from = parts + (<usize> row * <usize> length + <usize> (block * channels)) * 4;
    let to = y + <usize> row * <usize> (taps * channels) * 4;
    for (let tap = 0; tap < taps; tap++, to += <usize> channels << 2) {
      const place = load<i32>(places + (<usize> tap << 2));
      if (place < 0) zeroFloats(to, channels);
      else sumRuns(to, from + (<usize> (place * merged * channels) << 2), channels, chunks, chunkBytes);
    }
  }
}

/** to[i] = Σ over chunks of from[i + chunk · stride]; the stride is in bytes. */
function sumRuns(to: usize, from: usize, count: i32, chunks: i32, stride: usize): void {
  const end = to + (<usize> count << 2);
  for (; to + 16 <= end; to += 16, from += 16) {
    let sum = v128.load(from), at = from;
    for (let chunk = 1; chunk < chunks; chunk++) sum = f32x4.add(sum, v128.load(at += stride));
    v128.store(to, sum);
  }
  for (; to < end; to += 4, from += 4) {
    let sum = load<f32>(from), at = from;
    for (let chunk = 1; chunk < chunks; chunk++) sum += load<f32>(at += stride);
    store<f32>(to, sum);
  }
}

/**
 * parts[chunk][channel] = Σ x[row][channel] over the chunk's rows. Arguments: x, parts, rows, channels, rows of a chunk.
 */
export function sumChannels(args: usize, thread: i32): void {
  const x = address(args, 0), parts = address(args, 1), rows = integer(args, 2), channels = integer(args, 3);
  const chunk = integer(args, 4), chunks = (rows + chunk - 1) / chunk, pitch = <usize> channels << 2;
  for (let task = draw(args); task < chunks; task = draw(args)) {
    const sums = parts + <usize> task * pitch, end = min((task + 1) * chunk, rows);
    let row = task * chunk, from = x + <usize> row * pitch;
    copyFloats(sums, from, channels);
    row++;
    from += pitch;
    for (; row + 4 <= end; row += 4, from += 4 * pitch) addFour(sums, from, pitch, channels);
    for (; row < end; row++, from += pitch) addOne(sums, from, channels);
  }
}

function addFour(sums: usize, from: usize, pitch: usize, count: i32): void {
  const end = sums + (<usize> count << 2), b = from + pitch, c = b + pitch, d = c + pitch;
  let i: usize = 0;
  for (; sums + i + 16 <= end; i += 16) {
    const ab = f32x4.add(v128.load(from + i), v128.load(b + i));
    const cd = f32x4.add(v128.load(c + i), v128.load(d + i));
    v128.store(sums + i, f32x4.add(v128.load(sums + i), f32x4.add(ab, cd)));
  }
  for (; sums + i < end; i += 4) {
    const four = (load<f32>(from + i) + load<f32>(b + i)) + (load<f32>(c + i) + load<f32>(d + i));
    store<f32>(sums + i, load<f32>(sums + i) + four);
  }
}

function addOne(sums: usize, from: usize, count: i32): void {
  const end = sums + (<usize> count << 2);
  for (; sums + 16 <= end; sums += 16, from += 16) {
    v128.store(sums, f32x4.add(v128.load(sums), v128.load(from)));
  }
  for (; sums < end; sums += 4, from += 4) store<f32>(sums, load<f32>(sums) + load<f32>(from));
}
