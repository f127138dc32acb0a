/** Images: from bytes to numbers, and mixed with each other. */

/**
 * For `elements`: x [N, h, w, C] from pixels u8 [N, H, W, C], four to a word, and moves i32 [N, 3] = (top, left, flip): pixel · scale +
 * shift, of 0 outside the image; stored mirrored where flip is not 0. Tables: scale and shift a channel.
 * Numbers: height, width, channels (of the input), rows, columns (of the output).
 */
export const imageBatch = {
  helpers: `
fn byte_at(i: u32) -> f32 {
  return f32((read_pixels(i / 4u) >> (8u * (i % 4u))) & 0xffu);
}

fn image_at(i: u32) -> f32 {
  let channel = i % n.channels;
  let stored = (i / n.channels) % n.columns;
  let line = i / n.channels / n.columns;
  let sample = line / n.rows;
  let flipped = read_moves(3u * sample + 2u) != 0;
  let row = i32(line % n.rows) + read_moves(3u * sample);
  let column = i32(select(stored, n.columns - 1u - stored, flipped)) + read_moves(3u * sample + 1u);
  var byte = 0.0;
  if (row >= 0 && u32(row) < n.height && column >= 0 && u32(column) < n.width) {
    byte = byte_at(((sample * n.height + u32(row)) * n.width + u32(column)) * n.channels + channel);
  }
  return byte * bitcast<f32>(read_table(2u * channel)) + bitcast<f32>(read_table(2u * channel + 1u));
}
`,
  formula: "image_at(i)",
};

/**
 * For `elements`: λ·x + (1 − λ)·partner outside the box, the partner inside; the partner is as far from the batch's other end.
 * `mix` holds λ, top, left, bottom, right. Numbers: samples, height, width, channels.
 */
export const mixImages = {
  helpers: `
fn mixed_at(i: u32) -> f32 {
  let column = f32((i / n.channels) % n.width);
  let row = f32((i / n.channels / n.width) % n.height);
  let image = n.channels * n.width * n.height;
  let sample = i / image;
  let partner = read_x((n.samples - 1u - sample) * image + i % image);
  let inside = row >= read_mix(1u) && row < read_mix(3u) && column >= read_mix(2u) && column < read_mix(4u);
  if (inside) { return partner; }
  return read_mix(0u) * read_x(i) + (1.0 - read_mix(0u)) * partner;
}
`,
  formula: "mixed_at(i)",
};
