import assert from "node:assert/strict";
import * as nn from "../../../core/nn/mod.ts";
import { csvText, jsonText } from "../../../core/summary/data.ts";
import { memoryText, plannedMemory } from "../../../core/summary/memory.ts";
import { summarise } from "../../../core/summary/summary.ts";
import { markdownText, treeText } from "../../../core/summary/tree.ts";
import { createWasmBackend } from "../../../core/backend/wasm/backend.ts";
import { isDetectionModel } from "../../../core/detect/model.ts";
import { detection } from "../../../core/train/detection.ts";
import { sessionGraphs } from "../../../core/train/graphs.ts";
import { runGraphs } from "../../../core/train/run_graphs.ts";
import { models } from "../../../models/registry.ts";
import { tinyData, TinyNet } from "../../support/tiny.ts";
import { classification } from "../../../core/train/classification.ts";

class Block extends nn.Module {
  conv = new nn.Conv2d(4, 4, 3, { padding: 1, bias: false });
  bn = new nn.BatchNorm2d(4);
  relu: nn.ReLU;
  spare = new nn.Linear(2, 2);

  constructor(shared: nn.ReLU) {
    super();
    this.relu = shared;
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.relu.forward(nn.add(x, this.relu.forward(this.bn.forward(this.conv.forward(x)))));
  }
}

/** A ReLU that all share, a linear layer that never runs, a frozen layer, a head that is defined first. */
class Net extends nn.Module {
  fc = new nn.Linear(4, 5);
  stem = new nn.Conv2d(3, 4, [3, 5], { stride: [2, 1], padding: [1, 2] });
  blocks: nn.Sequential;

  constructor() {
    super();
    const relu = new nn.ReLU();
    this.blocks = new nn.Sequential(new Block(relu), new Block(relu));
    this.stem.weight.requires_grad = false;
    this.stem.bias!.requires_grad = false;
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = this.blocks.forward(this.stem.forward(x));
    return this.fc.forward(nn.flatten(nn.adaptiveAvgPool2d(x, 1)));
  }
}

const summary = summarise(new Net(), [2, 3, 8, 8]);

Deno.test("the tree has modules in the order in which they run, shared ones once, what never runs last", () => {
  const expected = `
Module                Layer             Input         Output        Kernel  Stride  Params     Share  Trainable    MACs
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
net                   Net               [2, 3, 8, 8]  [2, 5]                           525  100.00 %  partly     14,996
├ stem                Conv2d            [2, 3, 8, 8]  [2, 4, 4, 8]  3×5     2×1        184   35.05 %  no          5,760
├ blocks              Sequential        [2, 4, 4, 8]  [2, 4, 4, 8]                     316   60.19 %  yes         9,216
│ ├ blocks.0          Block             [2, 4, 4, 8]  [2, 4, 4, 8]                     158   30.10 %  yes         4,608
│ │ ├ blocks.0.conv   Conv2d            [2, 4, 4, 8]  [2, 4, 4, 8]  3×3     1×1        144   27.43 %  yes         4,608
│ │ ├ blocks.0.bn     BatchNorm2d       [2, 4, 4, 8]  [2, 4, 4, 8]                       8    1.52 %  yes
│ │ ├ blocks.0.relu   ReLU ×4           [2, 4, 4, 8]  [2, 4, 4, 8]
│ │ └ blocks.0.spare  Linear (not run)                                                   6    1.14 %  yes
│ └ blocks.1          Block             [2, 4, 4, 8]  [2, 4, 4, 8]                     158   30.10 %  yes         4,608
│   ├ blocks.1.conv   Conv2d            [2, 4, 4, 8]  [2, 4, 4, 8]  3×3     1×1        144   27.43 %  yes         4,608
│   ├ blocks.1.bn     BatchNorm2d       [2, 4, 4, 8]  [2, 4, 4, 8]                       8    1.52 %  yes
│   └ blocks.1.spare  Linear (not run)                                                   6    1.14 %  yes
└ fc                  Linear            [2, 4]        [2, 5]                            25    4.76 %  yes            20
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
Parameters: 525, of which 341 trainable and 184 not
MACs (multiply-accumulates of one 3×8×8 image): 14,996
`;
  assert.equal(`\n${treeText(summary, { name: "net" })}\n`, expected);
});

Deno.test("depth leaves out what is deeper", () => {
  const modules = treeText(summary, { depth: 1 }).split("\n").map((line) => line.split("  ")[0]);
  assert.deepEqual(modules.slice(2, 6), ["Net", "├ stem", "├ blocks", "└ fc"]);
});

Deno.test("CSV has a line for each module", () => {
  assert.deepEqual(csvText(summary, { depth: 1 }).split("\n"), [
    "path,depth,type,calls,inputs,outputs,kernel,stride,parameters,trainable_parameters,share,macs",
    ",0,Net,1,2x3x8x8,2x5,,,525,341,1,14996",
    "stem,1,Conv2d,1,2x3x8x8,2x4x4x8,3x5,2x1,184,0,0.3504761904761905,5760",
    "blocks,1,Sequential,1,2x4x4x8,2x4x4x8,,,316,316,0.6019047619047619,9216",
    "fc,1,Linear,1,2x4,2x5,,,25,25,0.047619047619047616,20",
  ]);
});

Deno.test("Markdown is a table", () => {
  assert.deepEqual(markdownText(summary, { name: "net", depth: 1 }).split("\n").slice(0, 4), [
    "| Module | Layer | Input | Output | Kernel | Stride | Params | Share | Trainable | MACs |",
    "| --- | --- | --- | --- | --- | --- | --: | --: | --- | --: |",
    "| **net** | Net | [2, 3, 8, 8] | [2, 5] |  |  | 525 | 100.00 % | partly | 14,996 |",
    "| \`stem\` | Conv2d | [2, 3, 8, 8] | [2, 4, 4, 8] | 3×5 | 2×1 | 184 | 35.05 % | no | 5,760 |",
  ]);
});

Deno.test("JSON has the totals, every module, and shapes on one line", () => {
  const text = jsonText(summary, { name: "net" });
  assert.match(text, /"input": \[2, 3, 8, 8\]/);
  const { name, output, parameters, trainable, macs, layers } = JSON.parse(text);
  assert.deepEqual({ name, output, parameters, trainable, macs }, {
    ...{ name: "net", output: [2, 5], parameters: 525, trainable: 341, macs: 14996 },
  });
  assert.deepEqual(layers, summary.layers);
});

Deno.test("memory is what the backend plans for a run", async () => {
  const data = tinyData();
  const options = {
    ...{
      model: new TinyNet(),
      data,
      batch_size: 4,
      epochs: 1,
      seed: 0,
      task: classification(),
      lr: () => 0.1,
    },
    optimizer: { name: "adam" } as const,
  };
  const backend = await createWasmBackend({ threads: 2, tile: 16 });
  try {
    const run = backend.measure(runGraphs(options));
    const limit = run.totalBytes - 1;
    const memory = { optimizer: options.optimizer, threads: 2, limit };
    const planned = plannedMemory(options.model, [4, 3, 8, 8], memory);
    assert.deepEqual(planned.training, run);
    const inference = nn.trace(options.model, [4, 3, 8, 8], { training: false });
    assert.deepEqual(planned.inference, backend.measure({ inference }));
    assert.match(memoryText(planned, 4, memory), /a batch of 4 on 2 threads[^]*More than the \d+\.\d\d MiB/);
  } finally {
    backend.close();
  }
});

Deno.test("a detector's memory is that of training with its own loss", async () => {
  const model = models.yolov1_squeezenet!.create({ num_classes: 3, input_size: [64, 64] });
  assert.ok(isDetectionModel(model));
  const optimizer = { name: "sgd", momentum: 0.9 } as const;
  const images = { batch: 2, channels: 3, height: 64, width: 64, mean: [0, 0, 0], std: [1, 1, 1] };
  const backend = await createWasmBackend({ threads: 1, tile: 16 });
  try {
    const run = backend.measure(sessionGraphs(model, { images, optimizer, task: detection(model.map) }));
    const planned = plannedMemory(model, [2, 3, 64, 64], { optimizer, threads: 1, limit: run.totalBytes });
    assert.deepEqual(planned.training, run);
  } finally {
    backend.close();
  }
});

Deno.test("a network that can't be trained as a classifier still has its memory for inference", () => {
  const memory = { optimizer: { name: "sgd" }, threads: 1, limit: 2 ** 32 } as const;
  const planned = plannedMemory(new nn.Conv2d(3, 2, 3), [1, 3, 8, 8], memory);
  assert.match(
    memoryText(planned, 1, memory),
    /inference .*\n {2}training, sgd: the network itself: cross_entropy/,
  );
});
