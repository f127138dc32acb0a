/** Images between layers as float16 in a GPU's memory: which, and that training stays what it is. */
import assert from "node:assert/strict";
import type { Backend } from "../../core/backend/backend.ts";
import { GRADIENT_SCALE, halvesOf } from "../../core/backend/webgpu/half.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { f32, type Value } from "../../core/graph/graph.ts";
import * as nn from "../../core/nn/mod.ts";
import { classification } from "../../core/train/classification.ts";
import { sessionGraphs } from "../../core/train/graphs.ts";
import { runGraphs } from "../../core/train/run_graphs.ts";
import { createTrainer } from "../../core/train/trainer.ts";
import { onHalf } from "../support/on_backends.ts";
import { backendFor } from "../support/run_op.ts";
import { tinyData } from "../support/tiny.ts";

/** With what images meet on their way: branches, sums, pools, norms, dropout. */
class MeetsAll extends nn.Module {
  stem = new nn.Sequential(
    new nn.Conv2d(3, 16, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
  );
  left = new nn.Conv2d(16, 12, 3, { padding: 1 });
  right = new nn.Conv2d(16, 7, 1);
  after = new nn.Sequential(
    new nn.MaxPool2d(2),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(19, 16, 3, { padding: 1 }),
  );
  depthwise = new nn.Conv2d(16, 16, 3, { padding: 1, groups: 16, bias: false });
  norm = new nn.BatchNorm2d(16);
  pool = new nn.AvgPool2d(2);
  dropout = new nn.Dropout(0.25);
  fc = new nn.Linear(64, 2);

  forward(x: nn.Tensor): nn.Tensor {
    x = this.stem.forward(x);
    x = this.after.forward(nn.concat([this.left.forward(x), this.right.forward(x)], 1));
    x = nn.add(x, nn.relu(this.norm.forward(this.depthwise.forward(x))));
    return this.fc.forward(this.dropout.forward(nn.flatten(this.pool.forward(x))));
  }
}

function optionsFor(backend: Backend) {
  return {
    backend,
    model: new MeetsAll(),
    data: tinyData(),
    batch_size: 10,
    epochs: 1,
    optimizer: { name: "sgd", momentum: 0.9 } as const,
    lr: () => 0.05,
    task: classification({ mix: { mixup: 0.2, cutmix: 0 } }),
    clip_grad: 5,
    accumulate: 2,
    seed: 5,
  };
}

Deno.test("images between layers and gradients to them are float16, and nothing else is", () => {
  const images = { batch: 2, channels: 3, height: 8, width: 8, mean: [0, 0, 0], std: [1, 1, 1] };
  const graphs = sessionGraphs(new MeetsAll(), {
    images,
    optimizer: { name: "adamw" },
    task: classification(),
    accumulate: 2,
    ema: true,
  });
  const formats = (name: keyof typeof graphs) => {
    const graph = graphs[name]!, halves = halvesOf({ graph, aliases: new Map<Value, Value>() });
    return graph.nodes.flatMap(({ op, outputs }) =>
      outputs.map((value) => [op, halves.get(value)?.scale] as const)
    );
  };
  const train = formats("train");
  const scalesOf = (
    op: string,
  ) => [...new Set(train.filter((one) => one[0] === op).map(([, scale]) => scale))];
  for (const op of ["image_batch", "conv2d", "relu", "concat", "avg_pool2d"]) {
    assert.deepEqual(scalesOf(op), [1], op);
  }
  for (const op of ["conv2d_grad_input", "relu_grad", "slice", "max_pool2d_grad"]) {
    assert.deepEqual(scalesOf(op), [GRADIENT_SCALE], op);
  }
  // The image, and then statistics; the gradient to the image, and then those to weights.
  assert.deepEqual(scalesOf("batch_norm"), [1, undefined]);
  assert.deepEqual(scalesOf("batch_norm_grad"), [GRADIENT_SCALE, undefined]);
  for (const op of ["conv2d_grad_weight", "linear", "linear_grad_weight", "cross_entropy"]) {
    assert.deepEqual(scalesOf(op), [undefined], op);
  }
  assert.ok(formats("init").every(([, scale]) => scale === undefined));
});

Deno.test("what is read from outside is float32, under whatever name it has memory", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", f32([2, 3, 4, 4]));
  const [pooled] = builder.emit("relu", [x], {});
  const [kept] = builder.emit("relu", [pooled!], {});
  const [flat] = builder.emit("relu", [pooled!], {});
  builder.output("y", flat!);
  const graph = builder.finish();
  const plain = halvesOf({ graph, aliases: new Map() });
  assert.deepEqual([pooled, kept, flat].map((value) => plain.has(value!)), [true, true, false]);
  // As where flat is pooled in another shape.
  const renamed = halvesOf({ graph, aliases: new Map([[flat!, pooled!]]) });
  assert.deepEqual([pooled, kept, flat].map((value) => renamed.has(value!)), [false, true, false]);
});

onHalf("a run with images of float16 is close to one with float32, in about half the memory", async () => {
  const run = async (backend: Backend) => {
    const trainer = createTrainer(optionsFor(backend));
    await trainer.initialise();
    const losses: number[] = [];
    for await (const event of trainer.train()) if (event.type === "step") losses.push(event.loss);
    losses.push((await trainer.evaluate()).loss);
    trainer.session.dispose();
    return losses;
  };
  const bytes = (backend: Backend) => backend.measure(runGraphs(optionsFor(backend))).arenaBytes;
  const [whole, gpu] = [await backendFor({ threads: 2 }), await backendFor("webgpu")];
  const half = await backendFor({ webgpu: { half: true } });
  assert.ok(bytes(half) < 0.6 * bytes(gpu), `${bytes(half)} of ${bytes(gpu)}`);
  const expected = await run(whole), found = await run(half);
  const errors = expected.map((loss, i) => Math.abs(found[i]! - loss) / loss);
  assert.equal(found.length, 5);
  assert.ok(Math.max(...errors) < 0.01, `${found}, not ${expected}`);
  assert.ok(Math.max(...errors) > 1e-6, "these are numbers of float32");
});
