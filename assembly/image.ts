/** Bytes of images to normalised floats, cropped and mirrored. */
import { address, draw, integer } from "./abi";

/**
 * x [N, h, w, C] from pixels u8 [N, H, W, C] and moves i32 [N, 3] = (top, left, flip): output pixel (i, j) is the
 * input's (top + i, left + j), or 0 outside the image, stored mirrored where flip is not 0; then
 * x = pixel · scale + shift. A ticket is one output row.
 * Arguments: pixels, moves, x, N, H, W, C, h, w, table of (scale, shift) a channel.
 */
export function image_batch(args: usize, thread: i32): void {
  const pixels = address(args, 0), moves = address(args, 1), x = address(args, 2), samples = integer(args, 3);
  const height = integer(args, 4), width = integer(args, 5), channels = integer(args, 6);
  const rows = integer(args, 7), columns = integer(args, 8), table = address(args, 9);
  const rowBytes = <usize> width * <usize> channels;
  const tasks = samples * rows;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const sample = task / rows, move = moves + <usize> sample * 12;
    const row = load<i32>(move) + task % rows, left = load<i32>(move, 4), flip = load<i32>(move, 8) != 0;
    const inside = <u32> row < <u32> height;
    const source = pixels + (<usize> sample * <usize> height + <usize> row) * rowBytes;
    const target = x + ((<usize> task * <usize> columns * <usize> channels) << 2);
    for (let j = 0; j < columns; j++) {
      const column = left + j;
      const visible = inside && <u32> column < <u32> width;
      const pixel = source + <usize> column * <usize> channels;
      const to = target + ((<usize> (flip ? columns - 1 - j : j) * <usize> channels) << 2);
      for (let c: usize = 0; c < <usize> channels; c++) {
        const byte = visible ? <f32> load<u8>(pixel + c) : 0;
        store<f32>(to + (c << 2), byte * load<f32>(table + (c << 3)) + load<f32>(table + (c << 3), 4));
      }
    }
  }
}
