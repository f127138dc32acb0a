/** Windows bitmaps: the picture format that every browser reads and that takes no compression to write. */

const HEADERS = 54;

/** `pixels`: `[height, width, channels]` bytes, grey (1 channel) or RGB (3). */
export function encodeBmp(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: number,
): Uint8Array<ArrayBuffer> {
  const row = Math.ceil(3 * width / 4) * 4;
  const file = new Uint8Array(HEADERS + row * height);
  const view = new DataView(file.buffer);
  file.set([0x42, 0x4d]); // "BM"
  view.setUint32(2, file.length, true);
  view.setUint32(10, HEADERS, true);
  view.setUint32(14, 40, true); // the second header's length
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true); // planes
  view.setUint16(28, 24, true); // bits a pixel
  for (let y = 0; y < height; y++) {
    let at = HEADERS + (height - 1 - y) * row; // the lowest row comes first
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      // Blue comes first.
      for (let channel = 2; channel >= 0; channel--) {
        file[at++] = pixels[from + (channels === 3 ? channel : 0)]!;
      }
    }
  }
  return file;
}
