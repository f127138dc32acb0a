import assert from "node:assert/strict";
import sharp from "sharp";
import type { Box } from "../../core/detect/box.ts";
import { colourOf } from "../../core/detect/overlay.ts";
import { cutOut, drawBoxes, marksOf } from "../../host/draw_boxes.ts";
import { plainImage } from "../support/image_files.ts";

const classes = ["raccoon", "cat"];
const box = { x1: 160, y1: 240, x2: 560, y2: 440 };

Deno.test("boxes are drawn in their class's colour, on the image's own pixels", async () => {
  const image = await plainImage({ width: 800, height: 480, colour: "#808080" }, "png");
  const drawn = await drawBoxes(image, marksOf([{ box, label: 1, score: 0.9 }], classes), "png");
  const { data, info } = await sharp(drawn).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [800, 480, 3]);
  const at = (x: number, y: number) => [...data.subarray((y * 800 + x) * 3, (y * 800 + x) * 3 + 3)];
  const fill = [1, 3, 5].map((i) => parseInt(colourOf(1).fill.slice(i, i + 2), 16));
  assert.deepEqual(at(560 - 2, 400), fill);
  assert.deepEqual(at(400, 440 - 2), fill);
  assert.deepEqual(at(360, 340), [128, 128, 128]);
  assert.deepEqual(at(80, 80), [128, 128, 128]);
});

Deno.test("a photograph that was taken sideways is drawn on upright", async () => {
  const sideways = await sharp(await plainImage({ width: 100, height: 50 })).withMetadata({ orientation: 6 })
    .toBuffer();
  const { width, height, format } = await sharp(await drawBoxes(new Uint8Array(sideways), [])).metadata();
  assert.deepEqual([width, height, format], [50, 100, "jpeg"]);
});

Deno.test("the best detection is drawn last, and has its class and score", () => {
  const marks = marksOf([{ box, label: 0, score: 0.876 }, { box, label: 1, score: 0.2 }, {
    box,
    label: 7,
    score: 0.1,
  }], classes);
  assert.deepEqual(marks.map(({ text }) => text), ["class 7 0.10", "cat 0.20", "raccoon 0.88"]);
});

Deno.test("what is cut out is the box's part of the upright image, at least a pixel of it", async () => {
  const half = await sharp(await plainImage({ width: 60, height: 40, colour: "#f00" }, "png"))
    .extend({ left: 60, background: "#00f" }).png().toBuffer();
  const cut = async (box: Box, orientation = 1) => {
    const file = await sharp(half).withMetadata({ orientation }).png().toBuffer();
    const { data, info } = await sharp(await cutOut(new Uint8Array(file), box, "png")).removeAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    return [info.width, info.height, ...data.subarray(0, 3)];
  };
  assert.deepEqual(await cut({ x1: 60.2, y1: 9.9, x2: 79.1, y2: 20 }), [20, 11, 255, 0, 0]);
  assert.deepEqual(await cut({ x1: -5, y1: -5, x2: 300, y2: 300 }), [120, 40, 0, 0, 255]);
  assert.deepEqual(await cut({ x1: 120, y1: 40, x2: 120, y2: 40 }), [1, 1, 255, 0, 0]);
  // Turned to the right, the left half is the upper one.
  assert.deepEqual(await cut({ x1: 0, y1: 60, x2: 10, y2: 90 }, 6), [10, 30, 255, 0, 0]);
});

Deno.test("an SVG is no photograph: it could show other files", async () => {
  const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  await assert.rejects(drawBoxes(svg, []), /svg is no format of photographs/);
  await assert.rejects(cutOut(svg, box), /svg is no format of photographs/);
});
