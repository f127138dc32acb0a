import assert from "node:assert/strict";
import { boxesOf } from "../../../core/draw/boxes.ts";
import { dotText } from "../../../core/draw/dot.ts";
import { foldRepeats } from "../../../core/draw/repeats.ts";
import { svgOf } from "../../../core/draw/svg.ts";
import * as nn from "../../../core/nn/mod.ts";
import { models } from "../../../models/registry.ts";

function resnet50(): nn.Module {
  return models.resnet50!.create();
}

const IMAGE = [1, 3, 224, 224];

Deno.test("what follows an op alone shares its box", () => {
  const { boxes, arrows } = boxesOf(resnet50(), IMAGE);
  assert.deepEqual(boxes.slice(0, 4).map(({ title, more, shape, group }) => [title, more, shape, group]), [
    ["Input", "", "3×224×224", ""],
    ["Conv 7×7, 64, stride 2", "BatchNorm · ReLU", "64×112×112", ""],
    ["Max pool 3×3, stride 2", "", "64×56×56", ""],
    ["Conv 1×1, 64", "BatchNorm · ReLU", "64×56×56", "layer1.0"],
  ]);
  // 53 convolutions, 16 sums, two pools, the linear layer, input and output; each sum has two ways in.
  assert.equal(boxes.length, 53 + 16 + 2 + 1 + 2);
  assert.equal(arrows.length, boxes.length - 1 + 16);
});

Deno.test("equal blocks that follow each other are drawn once", () => {
  const { boxes, arrows, repeats } = foldRepeats(boxesOf(resnet50(), IMAGE));
  assert.deepEqual([...repeats], [
    ["layer1.1", { count: 2, last: "layer1.2" }],
    ["layer2.1", { count: 3, last: "layer2.3" }],
    ["layer3.1", { count: 5, last: "layer3.5" }],
    ["layer4.1", { count: 2, last: "layer4.2" }],
  ]);
  // Of each stage the block with the projection (5 boxes), and one of the others (4).
  assert.equal(boxes.length, 3 + 4 * 9 + 2 + 1);
  assert.equal(arrows.length, boxes.length - 1 + 8);
  assert.ok(arrows.every(({ from, to }) => boxes.includes(from) && boxes.includes(to)));
});

Deno.test("blocks that differ, or that take more than the block before them gives, stay apart", () => {
  const conv = () => new nn.Sequential(new nn.Conv2d(4, 4, 1), new nn.Conv2d(4, 4, 1));
  class Skip extends nn.Module {
    a = conv();
    b = conv();
    forward(x: nn.Tensor): nn.Tensor {
      const y = this.a.forward(x);
      return nn.concat([y, this.b.forward(y)], 1);
    }
  }
  assert.deepEqual([...foldRepeats(boxesOf(new Skip(), [1, 4, 8, 8])).repeats], []);
  // The same convolutions, but of 64 and of 128 channels.
  assert.deepEqual([...foldRepeats(boxesOf(models.squeezenet1_1!.create(), IMAGE)).repeats], []);
  const wide = new nn.Sequential(
    conv(),
    conv(),
    new nn.Sequential(new nn.Conv2d(4, 4, 3), new nn.Conv2d(4, 4, 1)),
  );
  assert.deepEqual([...foldRepeats(boxesOf(wide, [1, 4, 8, 8])).repeats], [["0", { count: 2, last: "1" }]]);
});

Deno.test("equal blocks in equal blocks", () => {
  const pair = () => new nn.Sequential(new nn.Conv2d(4, 4, 1), new nn.Conv2d(4, 4, 1));
  const model = new nn.Sequential(
    ...[1, 2, 3].map(() => new nn.Sequential(pair(), pair())),
    new nn.MaxPool2d(2),
  );
  const { boxes, arrows, repeats } = foldRepeats(boxesOf(model, [1, 4, 8, 8]));
  assert.deepEqual([...repeats], [["0", { count: 3, last: "2" }], ["0.0", { count: 2, last: "0.1" }]]);
  assert.deepEqual(boxes.map(({ title }) => title), [
    ...["Input", "Conv 1×1, 4", "Conv 1×1, 4", "Max pool 2×2, stride 2", "Output"],
  ]);
  assert.deepEqual(arrows.map(({ from, to }) => [boxes.indexOf(from), boxes.indexOf(to)]), [
    ...[[0, 1], [1, 2], [2, 3], [3, 4]],
  ]);
});

Deno.test("modules at the depth asked for are one box", () => {
  const { boxes, repeats } = foldRepeats(boxesOf(resnet50(), IMAGE, { depth: 2 }));
  const stages = boxes.filter(({ kind }) => kind === "module");
  assert.deepEqual(stages.map(({ path }) => path), [
    ...["layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1", "layer4.0", "layer4.1"],
  ]);
  assert.equal(stages[0]!.title, "Bottleneck");
  assert.equal(stages[0]!.more, "75.0 k parameters");
  assert.equal(repeats.get("layer3.1")?.count, 5);
  assert.equal(boxesOf(resnet50(), IMAGE, { depth: 1 }).boxes.length, 3 + 4 + 3);
});

Deno.test("containers that are lists of layers have boxes of their own, one for each time that they are gone through", () => {
  const conv = () => new nn.Conv2d(4, 4, 1);
  class Lists extends nn.Module {
    a = new nn.Sequential(conv(), conv());
    b = new nn.Sequential(conv(), conv());
    forward(x: nn.Tensor): nn.Tensor {
      for (const layer of [...this.a.layers, ...this.b.layers]) x = layer.forward(x);
      return this.a.layers[0]!.forward(nn.relu(x));
    }
  }
  const { boxes, arrows } = boxesOf(new Lists(), [1, 4, 8, 8], { depth: 1 });
  assert.deepEqual(boxes.map(({ title }) => title), ["Input", "a", "b", "ReLU", "a", "Output"]);
  assert.deepEqual(arrows.map(({ from, to }) => [boxes.indexOf(from), boxes.indexOf(to)]), [
    ...[[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]],
  ]);
});

Deno.test("residual paths are red: each projection with its way in, each plain shortcut", () => {
  const dot = dotText(resnet50(), IMAGE, { name: "resnet50" });
  assert.equal(dot.match(/ -> .*color="#c2334a"/g)?.length, 4 * (2 + 1));
  assert.match(
    dot,
    /subgraph "cluster_layer3\.1" \{\n\s*label=<<b>layer3\.1 … 5<\/b><br align="left"\/>Bottleneck × 5/,
  );
  assert.match(dot, /resnet50\\n25,557,032 parameters\\n4\.09 G MACs for an image of 3×224×224/);
});

Deno.test("in training, auxiliary classifiers hang on the body, and random numbers are no arrows", () => {
  const { boxes, arrows } = boxesOf(models.googlenet!.create(), IMAGE, { training: true });
  const from = (title: string) => arrows.filter((arrow) => arrow.from.title === title);
  assert.equal(from("Input").length, 1);
  assert.equal(boxes.filter(({ group }) => group.startsWith("aux")).length, 2 * 5);
  assert.ok(boxes.some(({ more }) => more === "ReLU · Dropout"));
});

Deno.test("every network fits on a page, and Graphviz can lay it out", async () => {
  for (const [name, { create, input }] of Object.entries(models)) {
    const dot = dotText(create(), [1, ...input], { name });
    const arrows = dot.match(/ -> /g)!.length;
    assert.ok(arrows >= 7 && arrows <= 176, `${name} has ${arrows} arrows`);
    assert.match(await svgOf(dot), /<svg [^]*<\/svg>/);
  }
});

Deno.test("names are quoted", async () => {
  const model = new nn.Sequential({ 'a<b>&"c': new nn.Sequential(new nn.ReLU(), new nn.Conv2d(1, 1, 1)) });
  assert.match(await svgOf(dotText(model, [1, 1, 2, 2], { name: 'x"<y>' })), /x&quot;&lt;y&gt;/);
});
