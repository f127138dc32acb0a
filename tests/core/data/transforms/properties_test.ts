import assert from "node:assert/strict";
import fc from "fast-check";
import { colorJitter } from "../../../../core/data/transforms/color_jitter.ts";
import {
  centreOf,
  flipHorizontally,
  randomBox,
  resizeAndTake,
  resizeShorter,
  take,
  TEN_CROPS,
  tenCropOf,
} from "../../../../core/data/transforms/crop.ts";
import { CannotTransform, type Image, withChannels } from "../../../../core/data/transforms/image.ts";
import { applyTransforms, spareReduction, type Transform } from "../../../../core/data/transforms/mod.ts";
import { operations, randAugment } from "../../../../core/data/transforms/rand_augment.ts";
import { randomErasing } from "../../../../core/data/transforms/random_erasing.ts";
import { resize } from "../../../../core/data/transforms/resample.ts";
import { evaluationOf } from "../../../../core/predict/preparation.ts";
import { type Purpose, stream } from "../../../../core/random.ts";

const images: fc.Arbitrary<Image> = fc.record({
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
  channels: fc.constantFrom(1, 3),
  seed: fc.nat(),
}).map(({ width, height, channels, seed }) => {
  const random = stream(seed, "crop", 0, 0);
  const data = Uint8Array.from({ length: width * height * channels }, () => random.word() >>> 24);
  return { width, height, channels, data };
});
const extents = fc.integer({ min: 1, max: 50 });
const draws = (seed: number, sample = 0) => (purpose: Purpose) => stream(seed, purpose, 3, sample);

Deno.test("transforms: resizing and cropping give the size that was asked for, and leave the image alone", () => {
  fc.assert(fc.property(images, extents, extents, (image, height, width) => {
    const before = image.data.slice();
    for (const made of [resize(image, [height, width]), take(image, centreOf(image, [height, width]))]) {
      assert.deepEqual([made.height, made.width, made.channels], [height, width, image.channels]);
      assert.equal(made.data.length, height * width * image.channels);
    }
    const side = resizeShorter(image, width);
    assert.equal(Math.min(side.width, side.height), width);
    assert.deepEqual(image.data, before);
  }));
});

Deno.test("transforms: resizing keeps the range of the bytes, and an image of its own size as it is", () => {
  fc.assert(fc.property(images, extents, extents, (image, height, width) => {
    const { data } = resize(image, [height, width]);
    const [low, high] = [Math.min(...image.data), Math.max(...image.data)];
    assert.ok(data.every((byte) => byte >= low && byte <= high));
    assert.deepEqual(resize(image, [image.height, image.width]), image);
  }));
});

Deno.test("transforms: Resize with a crop behind it is as one after the other", () => {
  fc.assert(fc.property(images, extents, extents, extents, (image, side, height, width) => {
    const resized = resizeShorter(image, side);
    const wanted = take(resized, centreOf(resized, [height, width]));
    assert.deepEqual(resizeAndTake(image, side, (whole) => centreOf(whole, [height, width])), wanted);
    const pair: Transform[] = [{ name: "Resize", size: side }, { name: "CenterCrop", size: [height, width] }];
    assert.deepEqual(applyTransforms(image, pair, draws(1)), wanted);
    const size = [Math.min(height, side), Math.min(width, side)] as const;
    for (let index = 0; index < TEN_CROPS; index++) {
      const ten: Transform[] = [{ name: "Resize", size: side }, { name: "TenCrop", size, index }];
      const whole = index < TEN_CROPS / 2 ? resized : flipHorizontally(resized);
      const part = take(whole, tenCropOf(whole, size, index % (TEN_CROPS / 2)));
      assert.deepEqual(applyTransforms(image, ten, draws(1)), part, `${index}`);
    }
  }));
});

Deno.test("transforms: a strip takes no more memory than what is seen of it, or is refused", () => {
  const height = 1_000_000;
  const strip: Image = { width: 1, height, channels: 3, data: new Uint8Array(3 * height).fill(9) };
  const seen = applyTransforms(strip, evaluationOf([3, 224, 224]), draws(1));
  assert.deepEqual([seen.width, seen.height, new Set(seen.data)], [224, 224, new Set([9])]);
  assert.throws(
    () => applyTransforms(strip, evaluationOf([3, 224, 224], "whole"), draws(1)),
    (error) =>
      error instanceof CannotTransform && error.message === "1×1000000 pixels cannot be resized to 224×224",
  );
});

Deno.test("transforms: flipped twice is as before, once is mirrored", () => {
  fc.assert(fc.property(images, (image) => {
    const flipped = flipHorizontally(image);
    assert.deepEqual(flipHorizontally(flipped), image);
    for (let c = 0; c < image.channels; c++) {
      assert.equal(flipped.data[c], image.data[(image.width - 1) * image.channels + c]);
    }
  }));
});

Deno.test("transforms: RandomResizedCrop stays inside, within its share of the area and its shapes", () => {
  const options = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] } as const;
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 300 }),
      fc.integer({ min: 100, max: 300 }),
      fc.nat(),
      (width, height, seed) => {
        const box = randomBox({ width, height }, options, stream(seed, "crop", 0, 0));
        assert.ok(box.top >= 0 && box.left >= 0 && box.width >= 1 && box.height >= 1);
        assert.ok(box.top + box.height <= height && box.left + box.width <= width);
        // Rounding to whole pixels moves both a little.
        const ratio = box.width / box.height;
        assert.ok(ratio > 0.75 * 0.85 && ratio < 4 / 3 / 0.85, `${ratio}`);
        assert.ok(box.width * box.height >= 0.08 * width * height * 0.85);
      },
    ),
  );
});

Deno.test("transforms: RandomResizedCrop takes the middle where nothing fits ten times", () => {
  const options = { scale: [1, 1], ratio: [3 / 4, 4 / 3] } as const;
  const wide = randomBox({ width: 400, height: 30 }, options, stream(1, "crop", 0, 0));
  assert.deepEqual(wide, { top: 0, left: 180, height: 30, width: 40 });
  const tall = randomBox({ width: 30, height: 400 }, options, stream(1, "crop", 0, 0));
  assert.deepEqual(tall, { top: 180, left: 0, height: 40, width: 30 });
});

Deno.test("transforms: RandAugment keeps the size; magnitude 0 of what is signed changes nothing", () => {
  fc.assert(fc.property(images, fc.integer({ min: 0, max: 30 }), fc.nat(), (image, magnitude, seed) => {
    const made = randAugment(image, { num_ops: 2, magnitude }, stream(seed, "augment", 0, 0));
    assert.deepEqual([made.width, made.height, made.channels], [image.width, image.height, image.channels]);
    for (const [name, { signed, apply }] of Object.entries(operations)) {
      if (signed || name === "Posterize") assert.deepEqual(apply(image, 0), image, name);
    }
  }));
});

Deno.test("transforms: RandAugment reaches each of its operations", () => {
  const image: Image = {
    width: 9,
    height: 9,
    channels: 3,
    data: Uint8Array.from({ length: 243 }, (_, i) => i),
  };
  const key = (made: Image) => made.data.join();
  const seen = new Set<string>();
  for (let seed = 0; seed < 600; seed++) {
    seen.add(key(randAugment(image, { num_ops: 1, magnitude: 20 }, stream(seed, "augment", 0, 0))));
  }
  for (const [name, { signed, apply }] of Object.entries(operations)) {
    for (const sign of signed ? [1, -1] : [1]) assert.ok(seen.has(key(apply(image, sign * 20 / 30))), name);
  }
});

Deno.test("transforms: RandomErasing erases a rectangle of 2 to 33 % as often as it should", () => {
  const image: Image = { width: 60, height: 50, channels: 3, data: new Uint8Array(9000).fill(7) };
  let erased = 0;
  for (let sample = 0; sample < 1000; sample++) {
    const options = { probability: 0.3, fill: [1, 2, 3] };
    const { data } = randomErasing(image, options, stream(5, "erase", 0, sample));
    const places = Array.from({ length: 3000 }, (_, i) => i).filter((i) => data[3 * i] !== 7);
    if (places.length === 0) continue;
    erased++;
    const rows = new Set(places.map((i) => Math.floor(i / 60))), columns = new Set(places.map((i) => i % 60));
    assert.equal(places.length, rows.size * columns.size, "a rectangle");
    assert.ok(places.length > 0.018 * 3000 && places.length < 0.35 * 3000, `${places.length}`);
    for (const i of places) assert.deepEqual([...data.subarray(3 * i, 3 * i + 3)], [1, 2, 3]);
  }
  // Standard deviation 14.
  assert.ok(Math.abs(erased - 300) < 70, `${erased}`);
});

Deno.test("transforms: all are functions of seed, epoch and sample", () => {
  const transforms: Transform[] = [
    { name: "RandomResizedCrop", size: [12, 10], scale: [0.2, 1], ratio: [0.75, 1.33] },
    { name: "RandomHorizontalFlip", probability: 0.5 },
    { name: "RandAugment", num_ops: 2, magnitude: 9 },
    { name: "ColorJitter", brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
    { name: "RandomErasing", probability: 0.5, fill: [1, 2, 3] },
  ];
  fc.assert(
    fc.property(images, fc.nat(), (grey, seed) => {
      const image = withChannels(grey, 3);
      const made = applyTransforms(image, transforms, draws(seed));
      assert.deepEqual([made.width, made.height, made.channels], [10, 12, 3]);
      assert.deepEqual(applyTransforms(image, transforms, draws(seed)), made);
    }),
    { numRuns: 50 },
  );
});

Deno.test("transforms: ColorJitter of nothing is nothing, and grey images stay grey", () => {
  fc.assert(fc.property(images, fc.nat(), (image, seed) => {
    const still = { brightness: 0, contrast: 0, saturation: 0, hue: 0 };
    assert.deepEqual(colorJitter(image, still, stream(seed, "color", 0, 0)), image);
    const grey = withChannels(withChannels(image, 1), 3);
    const strong = { brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.3 };
    const { data } = colorJitter(grey, strong, stream(seed, "color", 0, 0));
    for (let i = 0; i < data.length; i += 3) assert.ok(data[i] === data[i + 1] && data[i] === data[i + 2]);
  }));
});

Deno.test("transforms: an image is decoded smaller only where its transform still halves it", () => {
  const still = () => {
    throw new Error("nothing random");
  };
  const resized: Transform[] = [{ name: "Resize", size: 100 }, { name: "CenterCrop", size: [90, 90] }];
  const reductions = [399, 400, 799, 800, 1599, 1600, 9999].map((side) =>
    spareReduction({ width: side + 50, height: side }, resized, still)
  );
  assert.deepEqual(reductions, [1, 2, 2, 4, 4, 8, 8]);
  assert.equal(spareReduction({ width: 5000, height: 5000 }, [], still), 1);
});
