import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../core/errors.ts";
import { parseStateDict } from "../../../core/format/read_state_dict.ts";
import { matchStateDict } from "../../../core/nn/match_state_dict.ts";
import * as nn from "../../../core/nn/mod.ts";
import { Counter } from "../../../core/nn/module.ts";
import { sizeOf } from "../../../core/shape.ts";
import { resnet8_keras } from "../../../models/resnet8_keras.ts";
import { assertClose } from "../../support/close.ts";
import { kerasFile } from "../../support/keras_file.ts";
import { logitsOf } from "../../support/logits.ts";
import { uniform } from "../../support/uniform.ts";

/** Files that Keras wrote, see make.py beside them. */
const folder = new URL("../../fixtures/keras/", import.meta.url);
const fixture = (name: string) => Deno.readFileSync(new URL(name, folder));

const BATCH_NORM = { eps: 1e-3 };

/** The network of the files, under its own names or other ones. */
function net(names: { conv: string; norm: string; fc: string }): nn.Module {
  return new nn.Sequential({
    [names.conv]: new nn.Conv2d(2, 3, 3, { stride: 2, padding: "same" }),
    relu: new nn.ReLU(),
    [names.norm]: new nn.BatchNorm2d(3, BATCH_NORM),
    flatten: new nn.Flatten(),
    [names.fc]: new nn.Linear(2 * 2 * 3, 5),
  });
}

Deno.test({
  name: "keras: a network gives Keras's own results, from each kind of its files, by names and by order",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { x, y } = JSON.parse(Deno.readTextFileSync(new URL("expected.json", folder)));
    for (const name of ["net.h5", "net.weights.h5", "net.keras"]) {
      const dict = await parseStateDict(fixture(name), name);
      for (
        const names of [{ conv: "stem", norm: "norm", fc: "head" }, { conv: "conv1", norm: "bn1", fc: "fc" }]
      ) {
        const model = net(names);
        assertClose(await logitsOf(model, matchStateDict(model, dict), [2, 2, 4, 3], x), y, 1e-5, name);
      }
    }
  },
});

Deno.test("keras: a file that is cut is refused with one line", async () => {
  for (const name of ["net.h5", "net.keras"]) {
    const bytes = fixture(name);
    for (let length = 8; length < bytes.length; length += 8999) {
      await assert.rejects(parseStateDict(bytes.subarray(0, length), "w.h5"), (error: Error) => {
        assert.ok(error instanceof UserError, String(error.stack));
        assert.match(error.message, /^w\.h5: [^\n]+$/);
        return true;
      });
    }
  }
});

Deno.test("keras: a mutated file is read or refused with one line", async () => {
  const bytes = fixture("net.h5");
  const place = fc.nat({ max: bytes.length - 1 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 8 }),
      async (changes) => {
        const mutated = bytes.slice();
        for (const [at, value] of changes) mutated[at] = value;
        try {
          await parseStateDict(mutated, "w.h5");
        } catch (error) {
          assert.ok(error instanceof UserError, String((error as Error).stack));
          assert.match(error.message, /^w\.h5: [^\n]+$/);
        }
      },
    ),
    { numRuns: 5 },
  );
});

Deno.test({
  name: "keras: an .h5 of MLPerf Tiny's ResNet-8, in Keras's names and order, is resnet8_keras's weights",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const model = resnet8_keras();
    const weights = new Map(
      [...nn.stateDict(model)].flatMap(([name, item], i) =>
        item instanceof Counter ? [] : [[name, { shape: item.shape, data: uniform(i, sizeOf(item.shape)) }]]
      ),
    );
    const variable = (name: string, path: string) => ({ name, ...keras(weights.get(path)!) });
    const norm = (path: string) => [
      variable("gamma", `${path}.weight`),
      variable("beta", `${path}.bias`),
      variable("moving_mean", `${path}.running_mean`),
      variable("moving_variance", `${path}.running_var`),
    ];
    const dense = (path: string) => [variable("kernel", `${path}.weight`), variable("bias", `${path}.bias`)];
    // Keras numbers layers as they are made, and lists them by their distance from the output.
    const file = await kerasFile([
      ["input_1", []],
      ["conv2d", dense("conv1")],
      ["batch_normalization", norm("bn1")],
      ["activation", []],
      ["conv2d_1", dense("block1.conv1")],
      ["batch_normalization_1", norm("block1.bn1")],
      ["activation_1", []],
      ["conv2d_2", dense("block1.conv2")],
      ["batch_normalization_2", norm("block1.bn2")],
      ["add", []],
      ["activation_2", []],
      ["conv2d_3", dense("block2.conv1")],
      ["batch_normalization_3", norm("block2.bn1")],
      ["activation_3", []],
      ["conv2d_4", dense("block2.conv2")],
      ["conv2d_5", dense("block2.shortcut")],
      ["batch_normalization_4", norm("block2.bn2")],
      ["add_1", []],
      ["activation_4", []],
      ["conv2d_6", dense("block3.conv1")],
      ["batch_normalization_5", norm("block3.bn1")],
      ["activation_5", []],
      ["conv2d_7", dense("block3.conv2")],
      ["conv2d_8", dense("block3.shortcut")],
      ["batch_normalization_6", norm("block3.bn2")],
      ["add_2", []],
      ["activation_6", []],
      ["average_pooling2d", []],
      ["flatten", []],
      ["dense", dense("dense")],
    ]);
    const dict = await parseStateDict(file, "pretrainedResnet.h5");
    assert.equal(dict.convention, "keras");
    const { tensors, left } = matchStateDict(model, dict);
    assert.deepEqual(left, []);
    assert.deepEqual(tensors, new Map([...weights].map(([name, { data }]) => [name, data])));
  },
});

Deno.test("keras: a network within a network, as a base for a new head is, has its own layers", async () => {
  const numbers = (name: string, ...shape: number[]) => ({ name, shape, data: uniform(1, sizeOf(shape)) });
  const file = await kerasFile([
    ["input_1", []],
    [
      "base",
      [
        numbers("conv/kernel", 1, 1, 2, 3),
        numbers("conv/bias", 3),
        ...["gamma", "beta"].map((name) => numbers(`norm/${name}`, 3)),
        numbers("conv_1/kernel", 1, 1, 3, 4),
        numbers("conv_1/bias", 4),
        ...["moving_mean", "moving_variance"].map((name) => numbers(`norm/${name}`, 3)),
      ],
    ],
    ["dense", [numbers("kernel", 4, 2), numbers("bias", 2)]],
  ]);
  const model = new nn.Sequential({
    one: new nn.Conv2d(2, 3, 1),
    bn: new nn.BatchNorm2d(3),
    two: new nn.Conv2d(3, 4, 1),
    fc: new nn.Linear(4, 2),
  });
  const { tensors, left } = matchStateDict(model, await parseStateDict(file, "fine_tuned.h5"));
  assert.deepEqual([tensors.size, left], [10, []]);
});

/** A tensor of PyTorch's layout in Keras's: kernels are [kH, kW, in, out], or [in, out]. */
function keras({ shape, data }: { shape: readonly number[]; data: Float32Array }) {
  const [out = 1, inputs = 1, height = 1, width = 1] = shape;
  if (shape.length === 1) return { shape, data };
  const moved = new Float32Array(data.length);
  data.forEach((value, at) => {
    const [x, y] = [at % width, Math.floor(at / width) % height];
    const i = Math.floor(at / (width * height)) % inputs, o = Math.floor(at / (width * height * inputs));
    moved[((y * width + x) * inputs + i) * out + o] = value;
  });
  return { shape: shape.length === 2 ? [inputs, out] : [height, width, inputs, out], data: moved };
}
