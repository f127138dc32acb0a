import assert from "node:assert/strict";
import { ShapeError } from "../../../core/graph/builder.ts";
import * as nn from "../../../core/nn/mod.ts";

function messageOf(model: nn.Module, shape: readonly number[]): string {
  try {
    nn.trace(model, shape, { training: false });
  } catch (error) {
    assert.ok(error instanceof ShapeError, String(error));
    assert.ok(!error.message.includes("\n"), "one line");
    return error.message;
  }
  assert.fail("the mistake was not noticed");
}

/** A residual block of Darknet-53 as a well-known write-up has it: its 1×1 convolution has padding 1. */
class MistakenBlock extends nn.Module {
  conv1 = new nn.Sequential(new nn.Conv2d(64, 32, 1, { padding: 1, bias: false }), new nn.BatchNorm2d(32));
  conv2 = new nn.Sequential(new nn.Conv2d(32, 64, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(64));

  forward(x: nn.Tensor): nn.Tensor {
    return nn.add(this.conv2.forward(this.conv1.forward(x)), x);
  }
}

class MistakenDarknet extends nn.Module {
  stem = new nn.Conv2d(3, 64, 3, { padding: 1 });
  residual1 = new nn.Sequential(new MistakenBlock());

  forward(x: nn.Tensor): nn.Tensor {
    return this.residual1.forward(this.stem.forward(x));
  }
}

Deno.test("the padding mistake in Darknet-53's residual block is named: place, op, shapes, cause", () => {
  const message = messageOf(new MistakenDarknet(), [2, 3, 32, 32]);
  for (
    const part of [
      "residual1.0",
      "add",
      "[2, 64, 34, 34]",
      "[2, 64, 32, 32]",
      "residual1.0.conv1.0 is a 1×1 convolution with padding 1",
      "padding 0 would keep its size",
    ]
  ) assert.ok(message.includes(part), `"${part}" is not in: ${message}`);
});

Deno.test("a sum over different channels asks for a projection", () => {
  class Block extends nn.Module {
    conv = new nn.Conv2d(8, 16, 3, { padding: 1 });
    forward(x: nn.Tensor): nn.Tensor {
      return nn.add(this.conv.forward(x), x);
    }
  }
  assert.match(
    messageOf(new Block(), [1, 8, 4, 4]),
    /one side has 16 channels and the other 8: .* 1×1 projection/,
  );
});

/** Adds or joins what its branches make of the input, behind a stem that has a stride of its own. */
class Branches extends nn.Module {
  stem = new nn.Conv2d(3, 8, 3, { stride: 2, padding: 1 });
  branches: nn.Sequential[];

  constructor(readonly join: (branches: nn.Tensor[]) => nn.Tensor, ...branches: nn.Layer[][]) {
    super();
    this.branches = branches.map((layers) => new nn.Sequential(...layers));
    this.branches.forEach((branch, index) => Object.assign(this, { [`branch${index}`]: branch }));
  }

  forward(x: nn.Tensor): nn.Tensor {
    const stem = this.stem.forward(x);
    return this.join(this.branches.map((branch) => branch.forward(stem)));
  }
}

const sum = ([a, b]: nn.Tensor[]) => nn.add(a!, b!);
const joined = (branches: nn.Tensor[]) => nn.concat(branches, 1);
const conv = (kernel: nn.Pair, options: nn.Conv2dOptions = {}) => new nn.Conv2d(8, 8, kernel, options);

const causes: [what: string, model: () => nn.Module, cause: RegExp][] = [
  [
    "a padding that is too small",
    () => new Branches(sum, [conv(3)], []),
    /branch0\.0 is a 3×3 convolution with padding 0, which makes the image 2 smaller; padding 1 would keep/,
  ],
  [
    "a width that only a 1×7 kernel changes",
    () => new Branches(sum, [conv([1, 7], { padding: 3 })], []),
    /branch0\.0 is a 1×7 convolution with padding 3, which makes the image 6 larger; padding \[0, 3\] would keep/,
  ],
  [
    "an even kernel, which no number keeps",
    () => new Branches(sum, [conv(2)], []),
    /is a 2×2 convolution with padding 0, which makes the image 1 smaller; padding "same" would keep/,
  ],
  [
    "a stride on one side, and not that of the stem before both",
    () => new Branches(sum, [conv(3, { stride: 2, padding: 1 })], [conv(1)]),
    /Likely cause: branch0\.0 has stride 2/,
  ],
  [
    "a pool, on the second side",
    () => new Branches(sum, [conv(1)], [new nn.MaxPool2d(3, { stride: 2, padding: 1 })]),
    /Likely cause: branch1\.0 has stride 2/,
  ],
  [
    "the one of four branches that is no like the others",
    () =>
      new Branches(
        joined,
        ...[[conv(1, { stride: 2 })], [conv(3, { stride: 2, padding: 1 })]],
        ...[[conv(3, { padding: 1 }), conv(3, { stride: 2 })], [new nn.MaxPool2d(2)]],
      ),
    /Likely cause: branch2\.1 is a 3×3 convolution with padding 0, which costs more .* than its stride of 2/,
  ],
  [
    "one of three joined images that an adaptive pool made",
    () => new Branches(joined, [conv(1)], [conv(1)], [new nn.AdaptiveAvgPool2d(1)]),
    /Likely cause: branch2\.0 pools every image to 1×1/,
  ],
];

for (const [what, model, cause] of causes) {
  Deno.test(`likely cause: ${what}`, () => {
    assert.match(messageOf(model(), [1, 3, 32, 32]), cause);
  });
}

Deno.test("the cause of wrong features is looked for behind the flatten", () => {
  const net = (padding: number, features: number) =>
    new nn.Sequential(
      ...[new nn.Conv2d(3, 8, 1, { padding }), new nn.ReLU(), new nn.Conv2d(8, 8, 3, { padding: 1 })],
      ...[new nn.MaxPool2d(2), new nn.Flatten(), new nn.Dropout(), new nn.Linear(features, 2)],
    );
  assert.match(messageOf(net(1, 8 * 16), [1, 3, 8, 8]), /cause: 0 is a 1×1 convolution with padding 1/);
  assert.match(messageOf(net(0, 8 * 9), [1, 3, 8, 8]), /is \[8, 4, 4\], the layer is made for \[8, 3, 3\]/);
});

Deno.test("a convolution's weight is no image to compare with", () => {
  const model = new nn.Sequential(conv(1, { padding: 1 }), new nn.Conv2d(4, 4, 3));
  assert.doesNotMatch(messageOf(model, [1, 8, 8, 8]), /Likely cause/);
});

const refused: [layer: () => nn.Layer, reason: RegExp][] = [
  [() => conv(3, { stride: 0 }), /stride must be a whole number of 1 or more, not 0/],
  [() => conv(3, { padding: -1 }), /padding must be a whole number of 0 or more, not -1/],
  [() => conv(3, { dilation: 0 }), /dilation must be/],
  [() => conv(0), /the kernel's size must be/],
  [() => new nn.Conv2d(8, 0, 1), /out_channels must be/],
  [() => new nn.MaxPool2d(2, { stride: 0 }), /stride must be/],
  [() => new nn.MaxPool2d(2.5), /the kernel's size must be .*, not 2\.5/],
  [() => new nn.AvgPool2d(0), /the kernel's size must be/],
  [() => new nn.AvgPool2d(2, { padding: -1 }), /padding must be/],
  [() => new nn.AdaptiveAvgPool2d(0), /the output's size must be/],
  [() => new nn.LocalResponseNorm(0), /size must be/],
  [() => new nn.Dropout(1.5), /p must be within 0 … 1, not 1\.5/],
  [() => new nn.Flatten(2, 1), /\[2, 8, 6, 6\] has no axes 2 … 1 to flatten/],
  [() => new nn.Flatten(4), /has no axes 4 … -1 to flatten/],
];

for (const [layer, reason] of refused) {
  const text = layer.toString().replace(/^\(\)\s*=>/, "").replaceAll(/\s+/g, " ").trim();
  Deno.test(`${text} is refused in one line`, () => {
    assert.throws(() => nn.trace(layer(), [2, 8, 6, 6], { training: true }), (error) => {
      assert.ok(error instanceof ShapeError);
      assert.match(error.message, reason);
      return !error.message.includes("\n");
    });
  });
}

Deno.test("wrong channels, features, flattening and vanishing images name the layer", () => {
  class Net extends nn.Module {
    features = new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.MaxPool2d(2));
    fc = new nn.Linear(8, 2);
    forward(x: nn.Tensor): nn.Tensor {
      return this.fc.forward(nn.flatten(this.features.forward(x)));
    }
  }
  assert.match(messageOf(new Net(), [1, 4, 4, 4]), /^features\.0: .*expects 3 input channels and gets 4/);
  assert.match(messageOf(new Net(), [1, 3, 6, 6]), /^fc: .*expects 8 features and gets 32/);
  assert.match(messageOf(new Net(), [1, 3, 3, 3]), /^features\.1: .*the image vanishes here/);
  assert.match(messageOf(new Net(), [1, 3, 2, 2]), /^features\.0: .*the image vanishes here/);
  assert.match(messageOf(new nn.Linear(4, 2), [1, 4, 1, 1]), /flatten an image first/);
});

Deno.test("batch norm refuses to train on one value per channel", () => {
  const model = new nn.BatchNorm2d(4);
  assert.throws(() => nn.trace(model, [1, 4, 1, 1], { training: true }), /one value per channel/);
  nn.trace(model, [1, 4, 1, 1], { training: false });
});
