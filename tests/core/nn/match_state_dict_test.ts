import assert from "node:assert/strict";
import { UserError } from "../../../core/errors.ts";
import { StateDict, type StateTensor } from "../../../core/format/state_dict.ts";
import { matchStateDict } from "../../../core/nn/match_state_dict.ts";
import * as nn from "../../../core/nn/mod.ts";
import { logitsOf } from "../../support/logits.ts";

const model = () =>
  new nn.Sequential({
    conv: new nn.Conv2d(1, 2, 1, { bias: false }),
    bn: new nn.BatchNorm2d(2),
    fc: new nn.Linear(2, 3),
  });

function f32(...shape: number[]): StateTensor {
  return {
    shape,
    dtype: "F32",
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  };
}

const whole: Record<string, StateTensor> = {
  "conv.weight": f32(2, 1, 1, 1),
  "bn.weight": f32(2),
  "bn.bias": f32(2),
  "bn.running_mean": f32(2),
  "bn.running_var": f32(2),
  "bn.num_batches_tracked": { shape: [], dtype: "I64", data: BigInt64Array.of(7n) },
  "fc.weight": f32(3, 2),
  "fc.bias": { shape: [3], dtype: "I64", data: BigInt64Array.of(4n, 5n, 6n) },
};

const dictOf = (tensors: Record<string, StateTensor>) => new StateDict("w.pth", Object.entries(tensors));

Deno.test("a state_dict fits with and without batch counters, and behind a prefix", () => {
  const { "bn.num_batches_tracked": _, ...older } = whole;
  const prefixed = Object.fromEntries(
    Object.entries(whole).map(([name, tensor]) => [`model.net.${name}`, tensor]),
  );
  for (const tensors of [whole, older, prefixed]) {
    const matched = matchStateDict(model(), dictOf(tensors));
    assert.equal(matched.tensors.size, 7);
    assert.deepEqual(matched.tensors.get("fc.bias"), Float32Array.of(4, 5, 6));
    assert.deepEqual([matched.left, matched.report], [[], ""]);
  }
});

Deno.test("what does not fit is listed side by side; --partial takes the rest", () => {
  const { "fc.weight": _weight, "fc.bias": _bias, ...body } = whole;
  const other = dictOf({ ...body, "bn.weight": f32(4), "head.weight": f32(9, 2), "head.bias": f32(9) });
  assert.throws(() => matchStateDict(model(), other), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.deepEqual(error.message.split("\n"), [
      "w.pth: weights of another network: 4 of the network's 7 tensors fit, and 2 of the file's are unknown; " +
      "--partial takes what does, and leaves the rest as it is",
      "  the network      | w.pth",
      "  bn.weight [2]    | bn.weight F32 [4]",
      "  fc.weight [3, 2] | head.weight F32 [9, 2]",
      "  fc.bias [3]      | head.bias F32 [9]",
    ]);
    return true;
  });
  const { tensors, left, report } = matchStateDict(model(), other, { partial: true });
  assert.deepEqual([...tensors.keys()], ["conv.weight", "bn.bias", "bn.running_mean", "bn.running_var"]);
  assert.deepEqual(left, ["bn.weight", "fc.weight", "fc.bias"]);
  assert.equal(report.split("\n").length, 4);
});

Deno.test("weights of which nothing fits are refused, with --partial too", () => {
  const strange = dictOf({ "a.weight": f32(1) });
  assert.throws(
    () => matchStateDict(model(), strange, { partial: true }),
    /0 of the network's 7 tensors fit/,
  );
});

Deno.test("a detector's body takes a classifier's weights, with its name before theirs or without", () => {
  const body = () =>
    new nn.Sequential({
      conv: new nn.Conv2d(1, 2, 1, { bias: false }),
      bn: new nn.BatchNorm2d(2),
      more: new nn.Conv2d(2, 2, 1, { bias: false }),
    });
  const detector = new nn.Sequential({ backbone: body(), head: new nn.Linear(2, 5) });
  const named = Object.fromEntries(
    Object.entries(whole).map((
      [name, tensor],
    ) => [name.startsWith("fc") ? name : `backbone.${name}`, tensor]),
  );
  for (const tensors of [whole, named]) {
    const { tensors: taken, left } = matchStateDict(detector, dictOf(tensors), { body: "backbone" });
    assert.deepEqual([...taken.keys()].map((name) => name.replace("backbone.", "")), [
      ...["conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"],
    ]);
    assert.deepEqual(left, ["backbone.more.weight", "head.weight", "head.bias"]);
    assert.throws(() => matchStateDict(detector, dictOf(tensors)), UserError);
  }
  const other = { ...whole, "conv.weight": f32(3, 1, 1, 1) };
  assert.throws(
    () => matchStateDict(detector, dictOf(other), { body: "backbone" }),
    /weights of another network/,
  );
});

Deno.test("weights that are not finite are refused with the first tensor at fault, but for those that are left out", () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const data = Float32Array.of(0, value, NaN, 0, 0, 0);
    const broken = { ...whole, "bn.bias": { shape: [2], dtype: "F32", data: data.slice(0, 2) } } as const;
    assert.throws(() => matchStateDict(model(), dictOf({ ...broken, "fc.weight": { ...f32(3, 2), data } })), {
      name: "UserError",
      message:
        `w.pth: number 1 of 2 in bn.bias is ${value}: these weights are damaged; get the file again, ` +
        "or take an earlier one",
    });
    const old = { ...whole, "fc.weight": { shape: [6, 1], dtype: "F32", data } } as const;
    assert.deepEqual(matchStateDict(model(), dictOf(old), { partial: true }).left, ["fc.weight"]);
  }
});

Deno.test({
  name: "weights of a layer that a network owns and does not use are left out",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    class Net extends nn.Module {
      fc = new nn.Linear(2, 1, { bias: false });
      unused = new nn.Linear(2, 1);

      forward(x: nn.Tensor): nn.Tensor {
        return this.fc.forward(x);
      }
    }
    const net = new Net();
    const dict = dictOf({ "fc.weight": f32(1, 2), "unused.weight": f32(1, 2), "unused.bias": f32(1) });
    assert.deepEqual(await logitsOf(net, matchStateDict(net, dict), [1, 2], [5, 7]), [7]);
  },
});
