import fc from "fast-check";
import { assertClose } from "../support/close.ts";
import { onBackends } from "../support/on_backends.ts";

const extent = fc.integer({ min: 1, max: 9 });
const offset = fc.oneof(fc.integer({ min: -12, max: 12 }), fc.constantFrom(-2147483648, 2147483647));

onBackends("image_batch crops, mirrors and normalises", async (on) => {
  const example = fc.record({
    n: extent,
    height: extent,
    width: extent,
    channels: fc.integer({ min: 1, max: 4 }),
    crop: fc.tuple(extent, extent),
    moves: fc.array(fc.tuple(offset, offset, fc.nat({ max: 1 })), { minLength: 9, maxLength: 9 }),
  });
  const check = async (
    { n, height, width, channels, crop, moves }: typeof example extends fc.Arbitrary<infer T> ? T : never,
  ) => {
    const pixels = Uint8Array.from({ length: n * height * width * channels }, (_, i) => (i * 37 + 11) & 255);
    const mean = [0.4914, 0.4822, 0.4465, 0.3].slice(0, channels),
      std = [0.2023, 0.1994, 0.201, 1].slice(0, channels);
    const [rows, columns] = crop;
    const [x] = await on.run("image_batch", [
      { shape: [n, height, width, channels], data: pixels, dtype: "u8" },
      { shape: [n, 3], data: moves.slice(0, n).flat(), dtype: "i32" },
    ], { mean, std, crop });
    const expected: number[] = [];
    for (let sample = 0; sample < n; sample++) {
      const [top, left, flip] = moves[sample]!;
      for (let c = 0; c < channels; c++) {
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            const row = top + i, column = left + (flip ? columns - 1 - j : j);
            const inside = row >= 0 && row < height && column >= 0 && column < width;
            const pixel = inside ? pixels[((sample * height + row) * width + column) * channels + c]! : 0;
            expected.push((pixel / 255 - mean[c]!) / std[c]!);
          }
        }
      }
    }
    assertClose(x, expected, { relative: 2e-7, absolute: 5e-7 });
  };
  await fc.assert(fc.asyncProperty(example, check), { numRuns: on.runs(40) });
});
