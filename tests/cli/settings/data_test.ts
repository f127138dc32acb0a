import assert from "node:assert/strict";
import { parseFlags } from "../../../cli/arguments.ts";
import {
  augmentationOf,
  checkData,
  dataDefaults,
  dataFlags,
  type DataSettings,
  loadOptions,
} from "../../../cli/settings/data.ts";

const parse = (...args: string[]) => parseFlags(dataFlags, args);

Deno.test("data flags: lists of numbers, and what stands for several", () => {
  assert.deepEqual(parse("--rand-augment", "on")["rand-augment"], [2, 9]);
  assert.deepEqual(parse("--rand-augment", "3,15")["rand-augment"], [3, 15]);
  assert.deepEqual(parse("--color-jitter", "0.4")["color-jitter"], [0.4, 0.4, 0.4, 0]);
  assert.deepEqual(parse("--color-jitter", "0.1,0.2,0.3,0.5")["color-jitter"], [0.1, 0.2, 0.3, 0.5]);
  assert.deepEqual(parse("--scale", "0.5,1").scale, [0.5, 1]);
  for (const off of ["none", "off", "0"]) {
    const args = ["--rand-augment", off, "--color-jitter", off, "--input", off];
    assert.deepEqual(parse(...args), { "rand-augment": [], "color-jitter": [], input: [] });
  }
  for (
    const wrong of [
      ["--rand-augment", "2"],
      ["--rand-augment", "2,31"],
      ["--rand-augment", "2,9,1"],
      ["--color-jitter", "0.1,0.2"],
      ["--color-jitter", "0.1,0.1,0.1,0.6"],
      ["--color-jitter", "0.4,0.4,0.4,x"],
      ["--color-jitter", "0.4,0.4,0.4,"],
      ["--color-jitter", "1e999"],
      ["--color-jitter=-1"],
      ["--scale", "0,1"],
      ["--scale", "0.9,0.1"],
      ["--scale", "0.5"],
      ["--random-erase", "1.5"],
      ["--bad-images", "ignore"],
    ]
  ) assert.throws(() => parse(...wrong), { name: "UserError" }, wrong.join(" "));
});

Deno.test("data flags: those without effect are refused", () => {
  const check = (dataset: string, flags: Record<string, unknown>, no_aug = false) => () =>
    checkData({ ...dataDefaults(dataset), dataset, no_aug }, flags);
  assert.throws(check("digits", { "val-split": 0.1 }), /has no effect with --dataset digits/);
  assert.throws(check("folder", { "crop-padding": 2 }), /RandomResizedCrop has --scale/);
  assert.throws(
    check("cifar10", { hflip: 0, "no-aug": true }, true),
    /--hflip has no effect with --no-aug: leave one of them out$/,
  );
  assert.throws(
    check("cifar10", { "rand-augment": [2, 9] }, true),
    /--rand-augment has no effect with --no-aug, which a file has on: --no-no-aug turns it off$/,
  );
  assert.throws(check("digits", { data: "photos" }), /--data has no effect with --dataset digits/);
  assert.throws(check("folder", { "val-split": 0 }), /--val-split 0 would leave nothing to test on/);
  check("folder", { "val-split": 0.1, hflip: 0 })();
  check("cifar10", { "crop-padding": 2 })();
});

Deno.test("data settings: what they mean to who loads the data set", () => {
  const settings = (dataset: string, changes: Partial<DataSettings> = {}) => ({
    ...dataDefaults(dataset),
    ...changes,
    data: "photos",
    seed: 3,
  });
  const load = (dataset: string, changes?: Partial<DataSettings>) =>
    loadOptions(settings(dataset, changes), [3, 224, 224], { note: () => {}, workers: 2 });
  const folder = load("folder", { val_split: 0.3, max_megapixels: 0.5, input: [1, 64, 48] });
  assert.deepEqual(folder.input, [1, 64, 48]);
  assert.deepEqual([folder.folder.valSplit, folder.folder.maxPixels, folder.folder.seed], [0.3, 5e5, 3]);
  const plain = load("digits");
  assert.deepEqual([plain.input, plain.hflip, plain.crop_padding], [undefined, 0, 2]);
  assert.deepEqual([plain.rand_augment, plain.color_jitter, plain.random_erase], [null, null, 0]);
  assert.deepEqual(
    augmentationOf(settings("cifar10", { rand_augment: [2, 9], color_jitter: [0.1, 0.2, 0.3, 0] })),
    {
      rand_augment: { num_ops: 2, magnitude: 9 },
      color_jitter: { brightness: 0.1, contrast: 0.2, saturation: 0.3, hue: 0 },
      random_erase: 0,
    },
  );
});
