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
    /from 16 to 8 and the other does not: .* 1×1 projection/,
  );
});

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
