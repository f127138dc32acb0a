/** The classic table is torchsummary's own text, see tests/fixtures/torchsummary. */
import assert from "node:assert/strict";
import * as nn from "../../../core/nn/mod.ts";
import type { Shape } from "../../../core/shape.ts";
import { classicText } from "../../../core/summary/classic.ts";
import { twoDecimals } from "../../../core/summary/format.ts";
import { summarise } from "../../../core/summary/summary.ts";
import { models } from "../../../models/registry.ts";
import digests from "../../fixtures/torchsummary/digests.json" with { type: "json" };

async function fixture(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../../fixtures/torchsummary/${name}.txt`, import.meta.url));
}

function textOf(model: nn.Module, image: Shape, training = false, batch?: number): string {
  const { classic, input } = summarise(model, [2, ...image], { training });
  return `${classicText(classic, input, batch)}\n`;
}

Deno.test("AlexNet with 10 classes on 3×256×256", async () => {
  const model = models.alexnet!.create({ num_classes: 10 });
  const text = textOf(model, [3, 256, 256]);
  assert.equal(text, await fixture("alexnet_10"));
  assert.match(text, /Total params: 57,044,810\n[^]*Estimated Total Size \(MB\): 229\.32/);
  assert.equal(textOf(model, [3, 256, 256], false, 32), await fixture("alexnet_10_batch_32"));
});

Deno.test("GoogLeNet in training, with its auxiliary classifiers", async () => {
  assert.equal(textOf(models.googlenet!.create(), [3, 224, 224], true), await fixture("googlenet_training"));
});

for (const [name, { evaluation, training }] of Object.entries(digests)) {
  Deno.test(`${name}: the whole text, in both modes`, async () => {
    const { create, input } = models[name]!;
    assert.equal(await digestOf(textOf(create(), input)), evaluation);
    assert.equal(await digestOf(textOf(create(), input, true)), training);
  });
}

async function digestOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex().slice(0, 16);
}

class Inner extends nn.Module {
  again: nn.Conv2d;

  constructor(readonly conv: nn.Conv2d) {
    super();
    this.again = conv;
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.conv.forward(x);
  }
}

class Split extends nn.Module {
  bias = new nn.Parameter([3], nn.constant(0));
  other = new nn.Parameter([5], nn.constant(0));

  forward(x: nn.Tensor): nn.Tensor[] {
    return [x, x];
  }
}

/** Shared by two modules, called twice, frozen, never called, two results. */
class Quirks extends nn.Module {
  a: Inner;
  b: Inner;
  norm = new nn.BatchNorm2d(3);
  split = new Split();
  seq = new nn.Sequential(new nn.ReLU());
  unused = new nn.Linear(3, 4);

  constructor() {
    super();
    const shared = new nn.Conv2d(3, 3, 1);
    this.a = new Inner(shared);
    this.b = new Inner(shared);
    this.norm.weight.requires_grad = false;
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = this.norm.forward(this.b.forward(this.a.forward(x)));
    return this.split.forward(this.seq.forward(this.seq.forward(x)))[1]!;
  }
}

Deno.test("its ways with shared, frozen and unused modules, and with lists", async () => {
  assert.equal(textOf(new Quirks(), [3, 128, 256]), await fixture("quirks"));
  assert.equal(textOf(new Quirks(), [3, 128, 256], false, 4), await fixture("quirks_batch_4"));
});

Deno.test("two decimals are rounded as Python does it", () => {
  // From Python: ["%.2f" % x for x in (0.125, 0.375, 0.625, 2.675, 1.005, 0.135, 1e6 + 0.125)]
  const numbers = [0.125, 0.375, 0.625, 2.675, 1.005, 0.135, 1e6 + 0.125];
  assert.deepEqual(numbers.map(twoDecimals), [
    ...["0.12", "0.38", "0.62", "2.67", "1.00", "0.14", "1000000.12"],
  ]);
});
