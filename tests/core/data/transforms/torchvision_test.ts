import assert from "node:assert/strict";
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  adjustSharpness,
} from "../../../../core/data/transforms/color.ts";
import {
  centreOf,
  flipHorizontally,
  resizeShorter,
  take,
  tenCropOf,
} from "../../../../core/data/transforms/crop.ts";
import type { Image, Size } from "../../../../core/data/transforms/image.ts";
import { LARGEST_MAGNITUDE, operations } from "../../../../core/data/transforms/rand_augment.ts";
import { resize, resizedCrop } from "../../../../core/data/transforms/resample.ts";

interface Case {
  readonly size: Size;
  readonly bytes: string;
}

const fixture = new URL("../../../fixtures/torchvision/transforms.json", import.meta.url);
const cases: Record<string, Case> = JSON.parse(Deno.readTextFileSync(fixture)).cases;

/** The picture that the fixture was made from. */
const picture: Image = { width: 23, height: 17, channels: 3, data: new Uint8Array(23 * 17 * 3) };
for (let at = 0; at < picture.data.length; at++) {
  const c = at % 3, x = Math.floor(at / 3) % 23, y = Math.floor(at / 69);
  picture.data[at] = 20 + (x * (5 + 2 * c) + y * (9 - 3 * c) + 31 * c + (x * y * (c + 1)) % 29 * 3) % 211;
}

const numbers = (text: string) => (text.match(/-?[\d.]+/g) ?? []).map(Number);

/** By the first word of a case's name. */
const run: Record<string, (...numbers: number[]) => Image> = {
  resize: (a, b) => b === undefined ? resizeShorter(picture, a!) : resize(picture, [a!, b]),
  center_crop: (h, w) => take(picture, centreOf(picture, [h!, w!])),
  ten_crop: (h, w, index) => take(picture, tenCropOf(picture, [h!, w!], index!)),
  resized_crop: (top, left, height, width, h, w) =>
    resizedCrop(picture, { top: top!, left: left!, height: height!, width: width! }, [h!, w!]),
  hflip: () => flipHorizontally(picture),
  brightness: (factor) => adjustBrightness(picture, factor!),
  contrast: (factor) => adjustContrast(picture, factor!),
  saturation: (factor) => adjustSaturation(picture, factor!),
  sharpness: (factor) => adjustSharpness(picture, factor!),
  hue: (factor) => adjustHue(picture, factor!),
};
for (const [name, { apply }] of Object.entries(operations)) {
  run[name] = (magnitude) => apply(picture, magnitude! / LARGEST_MAGNITUDE);
}

for (const [name, { size, bytes }] of Object.entries(cases)) {
  Deno.test(`transforms: ${name} is torchvision's to the byte`, () => {
    const made = run[name.split(" ")[0]!]!(...numbers(name));
    assert.deepEqual([made.height, made.width], size);
    const wanted = Uint8Array.fromBase64(bytes);
    const wrong = made.data.reduce((sum, byte, i) => sum + Number(byte !== wanted[i]), 0);
    assert.equal(wrong, 0, `${wrong} of ${wanted.length} bytes differ`);
  });
}
