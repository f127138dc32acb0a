import assert from "node:assert/strict";
import { preparationOf } from "../../../core/predict/preparation.ts";

Deno.test("images are prepared as in the run, unless a size says otherwise, of which 0 is torchvision's share", () => {
  const input = [3, 224, 224] as const, crop = { name: "CenterCrop", size: [224, 224] };
  const resized = (size: number) => [{ name: "Resize", size }, crop];
  const run = { dataset: "folder", val_resize_size: 300 };
  assert.deepEqual(preparationOf(input, undefined), resized(256));
  assert.deepEqual(preparationOf(input, run), resized(300));
  assert.deepEqual(preparationOf(input, { ...run, val_resize_size: 0 }), resized(256));
  assert.deepEqual(preparationOf(input, run, 0), resized(256));
  assert.deepEqual(preparationOf(input, run, 280), resized(280));
});
