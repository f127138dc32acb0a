import assert from "node:assert/strict";
import * as nn from "../../../core/nn/mod.ts";
import { backendFor } from "../../support/run_op.ts";

const options = { sanitizeOps: false, sanitizeResources: false };

class TwoHeads extends nn.Module {
  forward(x: nn.Tensor): nn.ModelOutput {
    return { scores: x, auxiliary: [{ scores: nn.scale(x, 2), weight: 0.3 }] };
  }
}

/** Mean over the rows of −log softmax(row)[target]. */
function crossEntropy(rows: readonly number[][], targets: readonly number[]): number {
  const losses = rows.map((row, i) =>
    Math.log(row.reduce((sum, score) => sum + Math.exp(score), 0)) - row[targets[i]!]!
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

Deno.test("auxiliary scores count in the loss with their weight", options, async () => {
  const model = new TwoHeads();
  const tracer = new nn.Tracer(model, { training: true });
  const output = model.forward(tracer.input("x", { shape: [2, 3], dtype: "f32" }));
  const loss = nn.classificationLoss(output, tracer.input("target", { shape: [2], dtype: "i32" }));
  tracer.builder.output("loss", loss.value);
  const session = (await backendFor()).compile({ loss: tracer.builder.finish() });
  const rows = [[0.5, -1, 2], [1, 0.25, -0.75]];
  session.write("loss", "x", Float32Array.from(rows.flat()));
  session.write("loss", "target", Int32Array.from([2, 1]));
  await session.run("loss");
  const [actual] = await session.read("loss", "loss");
  session.dispose();
  const doubled = rows.map((row) => row.map((score) => 2 * score));
  const expected = crossEntropy(rows, [2, 1]) + 0.3 * crossEntropy(doubled, [2, 1]);
  assert.ok(Math.abs(actual! - expected) < 1e-6, `${actual} is not ${expected}`);
});

Deno.test("channels of zeros go before and after an image's own", options, async () => {
  const tracer = new nn.Tracer(new nn.Sequential(), { training: false });
  const x = tracer.input("x", { shape: [1, 2, 1, 2], dtype: "f32" });
  tracer.builder.output("y", nn.padChannels(x, 1, 2).value);
  const session = (await backendFor()).compile({ pad: tracer.builder.finish() });
  session.write("pad", "x", Float32Array.from([1, 2, 3, 4]));
  await session.run("pad");
  assert.deepEqual([...await session.read("pad", "y")], [0, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
  session.dispose();
});

Deno.test("a forward that returns no tensor is named", () => {
  class Nothing extends nn.Module {
    forward(_x: nn.Tensor): void {}
  }
  assert.throws(
    () => nn.trace(new Nothing(), [1, 3], { training: false }),
    /^UserError: the network's forward must return a Tensor of scores, not undefined/,
  );
  const model = new nn.Sequential(new Nothing() as nn.Module as nn.ReLU, new nn.ReLU());
  assert.throws(
    () => nn.trace(model, [1, 3], { training: false }),
    /^UserError: ReLU.forward needs a Tensor, and got undefined$/,
  );
});

Deno.test("layers in a list are no layers of the network", () => {
  class Listed extends nn.Module {
    layers = [new nn.Linear(3, 3)];
    forward(x: nn.Tensor): nn.Tensor {
      return this.layers.reduce((x, layer) => layer.forward(x), x);
    }
  }
  assert.throws(
    () => nn.trace(new Listed(), [1, 3], { training: false }),
    /^UserError: the network uses a parameter that is no property of any module: .* a Sequential instead of a list$/,
  );
});

Deno.test("shapeAfter names places as the whole model does", () => {
  const model = new nn.Sequential({ features: new nn.Sequential(new nn.MaxPool2d(2)) });
  const run = (size: number) => nn.shapeAfter(model, [1, 3, size, size], (x) => model.forward(x));
  assert.deepEqual(run(4), [1, 3, 2, 2]);
  assert.throws(() => run(1), /^ShapeError: features\.0: /);
});
