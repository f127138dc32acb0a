import assert from "node:assert/strict";
import { likely, nearest } from "../../core/nearest.ts";

Deno.test("nearest: the name that was meant", () => {
  const models = ["resnet18", "resnet50", "vgg16", "vgg16_cifar"];
  assert.equal(nearest("resnet5", models), "resnet50");
  assert.equal(nearest("VGG-16", models), "vgg16");
  assert.equal(nearest("ResNet18", models), "resnet18");
  assert.equal(nearest("x", []), undefined);
});

Deno.test("likely: a slip, and not just any name", () => {
  const flags = ["model", "num-classes", "batch-size", "epochs"];
  for (const [typed, meant] of [["modle", "model"], ["batch_size", "batch-size"], ["num-epochs", "epochs"]]) {
    assert.equal(likely(typed!, flags), meant);
  }
  for (const other of ["mixup", "limit-batches", "recipe", "x"]) {
    assert.equal(likely(other, flags), undefined);
  }
  assert.equal(likely("model", []), undefined);
});
