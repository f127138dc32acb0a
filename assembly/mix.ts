/** Mixes each image of a batch with its partner, the one as far from the other end: mixup and cutmix. */
import { address, draw, integer } from "./abi";
import { loadPart, storePart } from "./part";

/**
 * y = λ·x + (1 − λ)·partner outside the box, and the partner inside. `mix` holds λ, top, left, bottom, right (bottom
 * and right excluded) as f32. Images are [N, H, W, C]. A ticket is one row of one image.
 * Arguments: x, mix, y, N, H, W, C.
 */
export function mix_images(args: usize, thread: i32): void {
  const x = address(args, 0), mix = address(args, 1), y = address(args, 2), samples = integer(args, 3);
  const height = integer(args, 4), width = integer(args, 5), channels = integer(args, 6);
  const share = v128.load32_splat(mix), rest = f32x4.sub(f32x4.splat(1), share);
  const top = <i32> load<f32>(mix, 4), left = <i32> load<f32>(mix, 8);
  const bottom = <i32> load<f32>(mix, 12), right = <i32> load<f32>(mix, 16);
  const count = width * channels, tasks = samples * height;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const sample = task / height, row = task % height;
    const own = x + ((<usize> task * <usize> count) << 2), to = y + ((<usize> task * <usize> count) << 2);
    const partner = x + ((<usize> ((samples - 1 - sample) * height + row) * <usize> count) << 2);
    for (let i = 0; i < count; i += 4) {
      const at = <usize> i << 2, a = loadPart(own + at, count - i), b = loadPart(partner + at, count - i);
      storePart(to + at, f32x4.add(f32x4.mul(share, a), f32x4.mul(rest, b)), count - i);
    }
    if (row < top || row >= bottom || right <= left) continue;
    const from = <usize> (left * channels) << 2;
    memory.copy(to + from, partner + from, <usize> ((right - left) * channels) << 2);
  }
}

/** y[i] = x[N − 1 − i], in rows of words of 32 bits. Arguments: x, y, rows, words a row. */
export function flip(args: usize, thread: i32): void {
  const x = address(args, 0), y = address(args, 1), rows = integer(args, 2);
  const bytes = <usize> integer(args, 3) << 2;
  for (let row = draw(args); row < rows; row = draw(args)) {
    memory.copy(y + <usize> row * bytes, x + <usize> (rows - 1 - row) * bytes, bytes);
  }
}
