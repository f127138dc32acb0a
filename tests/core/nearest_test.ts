import assert from "node:assert/strict";
import { nearest } from "../../core/nearest.ts";

Deno.test("nearest: the name that was meant", () => {
  const models = ["resnet18", "resnet50", "vgg16", "vgg16_cifar"];
  assert.equal(nearest("resnet5", models), "resnet50");
  assert.equal(nearest("VGG-16", models), "vgg16");
  assert.equal(nearest("ResNet18", models), "resnet18");
  assert.equal(nearest("x", []), undefined);
});
