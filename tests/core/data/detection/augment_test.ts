import assert from "node:assert/strict";
import fc from "fast-check";
import {
  distort,
  randomView,
  type View,
  viewImage,
  viewObjects,
  wholeView,
  yoloAugmentation,
} from "../../../../core/data/detection/augment.ts";
import { blankImage, type Image } from "../../../../core/data/transforms/image.ts";
import type { Draws } from "../../../../core/data/transforms/mod.ts";
import type { Box } from "../../../../core/detect/box.ts";
import { stream } from "../../../../core/random.ts";

const drawsOf = (sample: number): Draws => (purpose) => stream(7, purpose, 0, sample);

/** A black image with a white box. */
function filled(width: number, height: number, { x1, y1, x2, y2 }: Box): Image {
  const image = blankImage(width, height, 3);
  for (let y = y1; y < y2; y++) image.data.fill(255, (y * width + x1) * 3, (y * width + x2) * 3);
  return image;
}

/** The edges of what is brighter than half of white. */
function edgesOf({ width, height, data }: Image): Box {
  const box = { x1: width, y1: height, x2: 0, y2: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[(y * width + x) * 3]! < 128) continue;
      box.x1 = Math.min(box.x1, x);
      box.x2 = Math.max(box.x2, x + 1);
      box.y1 = Math.min(box.y1, y);
      box.y2 = Math.max(box.y2, y + 1);
    }
  }
  return box;
}

const example = fc.record({
  width: fc.integer({ min: 20, max: 150 }),
  height: fc.integer({ min: 20, max: 150 }),
  sides: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 1000 }).map((x) => x / 1000))),
  out: fc.tuple(fc.integer({ min: 24, max: 96 }), fc.integer({ min: 24, max: 96 })),
  sample: fc.nat({ max: 5000 }),
}).map(({ width, height, sides: [a, b, c, d], ...rest }) => {
  const span = (p: number, q: number, extent: number) => {
    const from = Math.floor(Math.min(p, q) * (extent - 8));
    return [from, from + 8 + Math.floor(Math.abs(p - q) * (extent - 8 - from))] as const;
  };
  const [x1, x2] = span(a!, b!, width), [y1, y2] = span(c!, d!, height);
  return { width, height, box: { x1, y1, x2, y2 }, ...rest };
});

Deno.test("a box lies where its pixels lie, to within a pixel", () => {
  let compared = 0;
  fc.assert(
    fc.property(example, ({ width, height, box, out, sample }) => {
      // Exposure would shift the soft edge of what is enlarged.
      const place = { ...yoloAugmentation, exposure: 1, saturation: 1 };
      const view = randomView({ width, height }, place, drawsOf(sample));
      const image = viewImage(filled(width, height, box), view, out);
      assert.deepEqual([image.height, image.width], out);
      const objects = viewObjects([{ box, label: 3, difficult: false, truncated: true }], view, out);
      for (const object of objects) {
        assert.deepEqual([object.label, object.truncated], [3, true]);
        const { x1, y1, x2, y2 } = object.box;
        if (Math.min(x2 - x1, y2 - y1) < 3) continue;
        compared++;
        const seen = edgesOf(image);
        for (const edge of ["x1", "y1", "x2", "y2"] as const) {
          assert.ok(
            Math.abs(seen[edge] - object.box[edge]) <= 1,
            `${edge}: ${seen[edge]}, box ${object.box[edge]}`,
          );
        }
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(compared > 200, `only ${compared} boxes could be seen`);
});

Deno.test("a view depends on nothing but what is drawn, and keeps to its limits", () => {
  const size = { width: 200, height: 100 };
  const views = Array.from({ length: 500 }, (_, i) => randomView(size, yoloAugmentation, drawsOf(i)));
  assert.deepEqual(views[5], randomView(size, yoloAugmentation, drawsOf(5)));
  const range = (of: (view: View) => number) =>
    [Math.min(...views.map(of)), Math.max(...views.map(of))] as const;
  const within = (name: string, [low, high]: readonly [number, number], least: number, most: number) => {
    assert.ok(low >= least && high <= most, `${name}: ${low} … ${high}`);
    const slack = 0.1 * (most - least);
    assert.ok(low <= least + slack && high >= most - slack, `${name} never goes far: ${low} … ${high}`);
  };
  within("left", range(({ left }) => left), -40, 40);
  within("bottom", range(({ top, height }) => top + height), 80, 120);
  within("exposure", range(({ exposure }) => exposure), 1 / 1.5, 1.5);
  within("saturation", range(({ saturation }) => saturation), 1 / 1.5, 1.5);
  const mirrored = views.filter(({ mirrored }) => mirrored).length;
  assert.ok(mirrored > 200 && mirrored < 300);
});

Deno.test("without augmentation an image is only resized", () => {
  const none = { jitter: 0, exposure: 1, saturation: 1, hflip: 0 };
  assert.deepEqual(
    randomView({ width: 30, height: 20 }, none, drawsOf(1)),
    wholeView({ width: 30, height: 20 }),
  );
  const image = filled(30, 20, { x1: 3, y1: 4, x2: 9, y2: 12 });
  assert.deepEqual(viewImage(image, wholeView(image), [20, 30]), image);
});

Deno.test("what is hardly seen is left out", () => {
  const view = { ...wholeView({ width: 100, height: 100 }), left: 50, width: 100 };
  const object = (x1: number, x2: number) => ({
    box: { x1, y1: 0, x2, y2: 10 },
    label: 0,
    difficult: false,
    truncated: false,
  });
  const seen = viewObjects([object(0, 50), object(0, 54), object(0, 60), object(90, 100)], view, [100, 100]);
  assert.deepEqual(seen.map(({ box }) => [box.x1, box.x2]), [[0, 10], [40, 50]]);
});

/** HSV as textbooks have it, hue in sixths. */
function toHsv([r, g, b]: readonly [number, number, number]): [number, number, number] {
  const v = Math.max(r, g, b), range = v - Math.min(r, g, b);
  if (range === 0) return [0, 0, v];
  const h = v === r ? (g - b) / range : v === g ? 2 + (b - r) / range : 4 + (r - g) / range;
  return [(h + 6) % 6, range / v, v];
}

Deno.test("exposure and saturation scale V and S of HSV, and leave the hue", () => {
  const byte = fc.nat({ max: 255 });
  const factor = fc.double({ min: 1 / 1.5, max: 1.5, noNaN: true });
  fc.assert(fc.property(fc.tuple(byte, byte, byte), factor, factor, (pixel, exposure, saturation) => {
    const image = { width: 1, height: 1, channels: 3, data: Uint8Array.from(pixel) };
    const [r, g, b] = distort(image, { exposure, saturation }).data as unknown as [number, number, number];
    const [h, s, v] = toHsv(pixel);
    const [wantedS, wantedV] = [Math.min(s * saturation, 1), Math.min(v * exposure, 255)];
    // By way of the colour that textbooks make of it.
    const channel = (n: number) => {
      const k = (n + h) % 6;
      return wantedV - wantedV * wantedS * Math.max(Math.min(k, 4 - k, 1), 0);
    };
    for (const [found, wanted] of [[r, channel(5)], [g, channel(3)], [b, channel(1)]] as const) {
      assert.ok(Math.abs(found - wanted) <= 0.5 + 1e-9, `${found}, expected ${wanted}`);
    }
  }));
  const grey = { width: 2, height: 1, channels: 1, data: Uint8Array.from([100, 200]) };
  assert.deepEqual([...distort(grey, { exposure: 1.5, saturation: 0.7 }).data], [150, 255]);
});
