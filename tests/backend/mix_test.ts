import assert from "node:assert/strict";
import { assertClose } from "../support/close.ts";
import { uniform } from "../support/uniform.ts";
import { onBackends } from "../support/on_backends.ts";

onBackends(
  "images are mixed with those as far from the other end, and replaced within the box",
  async (on) => {
    const shapes = [[4, 3, 5, 7], [3, 1, 4, 3], [1, 3, 2, 2], [5, 2, 3, 1]] as const;
    for (const [n, channels, height, width] of shapes) {
      const x = uniform(n, n * channels * height * width);
      const at = (i: number, c: number, row: number, column: number) =>
        x[((i * channels + c) * height + row) * width + column]!;
      const mixes = [[0.3, 0, 0, 0, 0], [1, 1, 0, height, width - 1], [1, 0, 0, height, width], [
        1,
        0,
        0,
        0,
        0,
      ]];
      for (const mix of mixes) {
        const [share, top, left, bottom, right] = mix as [number, number, number, number, number];
        const expected: number[] = [];
        for (let i = 0; i < n; i++) {
          for (let c = 0; c < channels; c++) {
            for (let row = 0; row < height; row++) {
              for (let column = 0; column < width; column++) {
                const partner = at(n - 1 - i, c, row, column);
                const inside = row >= top && row < bottom && column >= left && column < right;
                expected.push(inside ? partner : share * at(i, c, row, column) + (1 - share) * partner);
              }
            }
          }
        }
        const inputs = [{ shape: [n, channels, height, width], data: x }, { shape: [5], data: mix }];
        const [y] = await on.run("mix_images", inputs, {});
        assertClose(y, expected, { absolute: share === 1 ? 0 : 2e-7 }, `${mix}`);
      }
    }
  },
);

onBackends("flip turns the order of the first axis round", async (on) => {
  const [targets] = await on.run("flip", [{ shape: [3], data: [4, 5, -1], dtype: "i32" }], {});
  assert.deepEqual([...targets!], [-1, 5, 4]);
  const [rows] = await on.run("flip", [{ shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }], {});
  assert.deepEqual([...rows!], [4, 5, 6, 1, 2, 3]);
});
