import assert from "node:assert/strict";
import sharp from "sharp";
import { colourOf } from "../../core/detect/overlay.ts";
import { drawBoxes, marksOf } from "../../host/draw_boxes.ts";
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
  assert.deepEqual(marks.map(({ text }) => text), ["7 0.10", "cat 0.20", "raccoon 0.88"]);
});
