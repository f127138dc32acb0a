/** Image files of every kind beside torchvision's loader. */
import assert from "node:assert/strict";
import sharp from "sharp";
import { drawBoxes } from "../../../host/draw_boxes.ts";
import { decode } from "../../../host/images/decode.ts";
import { quickSize } from "../../../host/images/quick_size.ts";
import { imageKinds } from "../../support/image_kinds.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };
const kinds = await imageKinds();

for (const { name, file, torchvision, ours } of kinds) {
  const what = ours ? "on purpose not as torchvision reads it" : "as torchvision reads it";
  Deno.test(`${name}: ${what}`, loose, async () => {
    const { width, height, channels, data } = await decode(file, { maxPixels: 1e6, reduction: () => 1 });
    const { size, rgb } = ours ?? torchvision;
    assert.deepEqual([width, height, channels], [...size, 3]);
    if (!ours) return assert.deepEqual(new Uint8Array(data), rgb);
    assert.notDeepEqual(ours, torchvision);
    // Where colours are mixed with white, libvips rounds otherwise than Pillow.
    data.forEach((byte, i) => assert.ok(Math.abs(byte - rgb[i]!) <= 1, `${i}: ${byte}, not ${rgb[i]}`));
  });
}

const plain = kinds.filter(({ name }) => /^(bmp|p[bgp]m)/.test(name));

Deno.test(
  "BMP and PNM: sizes are quick, files cut short are refused, boxes are drawn on them",
  loose,
  async () => {
    assert.equal(plain.length, 15);
    for (const { name, file, torchvision: { size } } of plain) {
      const [width, height] = size as [number, number];
      assert.deepEqual(quickSize(file), { width, height }, name);
      const cut = file.subarray(0, file.length - (name.endsWith("text") ? 4 : 1));
      await assert.rejects(decode(cut, { maxPixels: 1e6, reduction: () => 1 }), /cut short/, name);
      await assert.rejects(decode(file, { maxPixels: 76, reduction: () => 1 }), /11×7 is more than/, name);
    }
    const { file } = plain[0]!;
    const drawn = await drawBoxes(
      file,
      [{ box: { x1: 1, y1: 1, x2: 5, y2: 5 }, label: 0, text: "a" }],
      "png",
    );
    const { width, height, format } = await sharp(drawn).metadata();
    assert.deepEqual([width, height, format], [11, 7, "png"]);
    const compressed = file.slice();
    compressed[30] = 1;
    await assert.rejects(
      decode(compressed, { maxPixels: 1e6, reduction: () => 1 }),
      /compressed in way 1, is not read/,
    );
  },
);
