import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../core/errors.ts";
import { parseStateDict } from "../../../core/format/read_state_dict.ts";
import { matchStateDict } from "../../../core/nn/match_state_dict.ts";
import { constant } from "../../../core/nn/init.ts";
import * as nn from "../../../core/nn/mod.ts";
import { exportOnnx } from "../../../core/onnx/export.ts";
import { foldBatchNorms } from "../../../core/onnx/fold.ts";
import { readOnnx } from "../../../core/onnx/read.ts";
import { decodeModel, encodeModel, type GraphProto, type NodeProto } from "../../../core/onnx/schema.ts";
import { sizeOf } from "../../../core/shape.ts";
import { assertClose } from "../../support/close.ts";
import { backendFor } from "../../support/run_op.ts";
import { TinyNet } from "../../support/tiny.ts";
import { uniform } from "../../support/uniform.ts";

const usesBackend = { sanitizeOps: false, sanitizeResources: false };

function weightsOf(model: nn.Module): Map<string, Float32Array> {
  const states = [...nn.stateDict(model)].filter(([, item]) => !(item instanceof nn.Counter));
  return new Map(states.map(([name, { shape }], seed) => {
    const isVariance = name.endsWith("running_var");
    return [name, uniform(seed, sizeOf(shape), isVariance ? 0.5 : -1, isVariance ? 2 : 1)];
  }));
}

function graphOf(model: nn.Module, options: Parameters<typeof exportOnnx>[4] = {}): GraphProto {
  return decodeModel(exportOnnx("net", model, [3, 8, 8], weightsOf(model), options)).graph!;
}

const extents = ({ type }: GraphProto["input"][number]) =>
  type.tensorType.shape.dim.map(({ dimParam, dimValue }) => dimParam || Number(dimValue));

const attributes = ({ attribute }: NodeProto) =>
  Object.fromEntries(
    attribute.map((
      { name, ints, i, f, type },
    ) => [name, type === 7 ? ints!.map(Number) : type === 1 ? f : Number(i)]),
  );

Deno.test("onnx: a file has the network's layers, weights under their names, and an open batch", () => {
  const graph = graphOf(new TinyNet());
  assert.deepEqual(graph.node.map(({ opType }) => opType), [
    "Conv",
    "BatchNormalization",
    "Relu",
    "Conv",
    "Relu",
    "GlobalAveragePool",
    "Reshape",
    "Gemm",
  ]);
  assert.deepEqual(graph.input.map(extents), [["batch", 3, 8, 8]]);
  assert.deepEqual(graph.output.map(extents), [["batch", 2]]);
  assert.deepEqual(graph.node[0]!.input, ["input", "features.0.weight"]);
  assert.deepEqual(graph.node.at(-1)!.output, ["logits"]);
  assert.deepEqual(attributes(graph.node[0]!), {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    dilations: [1, 1],
    group: 1,
  });
});

Deno.test("onnx: weights that were written are read back to the bit", async () => {
  const model = new TinyNet();
  const weights = weightsOf(model);
  const dict = await parseStateDict(exportOnnx("net", model, [3, 8, 8], weights), "net.onnx");
  assert.deepEqual(new Map([...matchStateDict(model, dict).tensors].sort()), new Map([...weights].sort()));
});

Deno.test("onnx: with a normalisation the file begins with it", () => {
  const { node, initializer } = graphOf(new TinyNet(), {
    normalisation: { mean: [0.5, 0.25, 0.125], std: [1, 2, 4] },
  });
  assert.deepEqual(node.slice(0, 3).map(({ opType, input }) => [opType, input[0]]), [
    ["Sub", "input"],
    ["Div", "input/centred"],
    ["Conv", "input/normalised"],
  ]);
  const std = initializer.find(({ name }) => name === "input.std")!;
  assert.deepEqual([std.dims.map(Number), [...new Float32Array(std.rawData!.slice().buffer)]], [[3, 1, 1], [
    1,
    2,
    4,
  ]]);
});

Deno.test("onnx: YOLO's map is turned, place by place, before it is flattened", () => {
  class Cells extends nn.Module {
    forward(x: nn.Tensor): nn.Tensor {
      return nn.flattenChannelsLast(x);
    }
  }
  const { node, output } = graphOf(new Cells());
  assert.deepEqual(node.map(({ opType }) => opType), ["Transpose", "Flatten"]);
  assert.deepEqual(attributes(node[0]!), { perm: [0, 2, 3, 1] });
  assert.deepEqual(extents(output[0]!), ["batch", 192]);
});

Deno.test("onnx: windows that hang over the end are padding there", () => {
  const pools = new nn.Sequential(
    new nn.MaxPool2d(3, { stride: 2, ceil_mode: true }),
    new nn.AvgPool2d(3, { stride: 2, padding: 1, ceil_mode: true }),
    new nn.AdaptiveAvgPool2d([2, 2]),
  );
  const { node } = graphOf(pools);
  assert.deepEqual(node.map(({ opType }) => opType), ["MaxPool", "Pad", "AveragePool", "MatMul", "MatMul"]);
  assert.deepEqual(attributes(node[0]!).pads, [0, 0, 1, 1]);
  assert.deepEqual(attributes(node[2]!).pads, [0, 0, 1, 1]);
});

Deno.test({
  name: "onnx: folded batch norms change nothing but roundings",
  ...usesBackend,
  async fn() {
    const model = new nn.Sequential(
      new nn.Conv2d(3, 4, 3),
      new nn.BatchNorm2d(4, { eps: 1e-3 }),
      new nn.Conv2d(4, 4, 1, { bias: false, groups: 2 }),
      new nn.BatchNorm2d(4),
      new nn.Flatten(),
      new nn.Linear(4, 3),
      new nn.BatchNorm1d(3),
    );
    const graph = nn.trace(model, [2, 3, 3, 3], { training: false });
    const weights = weightsOf(model);
    const folded = foldBatchNorms(graph, weights);
    assert.deepEqual(folded.graph.nodes.map(({ op }) => op), ["conv2d", "conv2d", "reshape", "linear"]);
    const images = uniform(9, 2 * 27);
    const logits = await Promise.all([{ graph, weights }, folded].map(async ({ graph, weights }) => {
      const session = (await backendFor()).compile({ infer: graph });
      for (const [name, data] of weights) session.writeState(name, data);
      session.write("infer", "x", images);
      await session.run("infer");
      return Array.from(await session.read("infer", "y"));
    }));
    assertClose(logits[1], logits[0]!, 1e-5);
  },
});

Deno.test("onnx: a folded batch norm's bias takes no name that something else has", () => {
  class Own extends nn.Module {
    kernel = new nn.Parameter([3, 3, 1, 1], constant(1));
    bn = new nn.BatchNorm2d(3);
    forward(x: nn.Tensor): nn.Tensor {
      return this.bn.forward(nn.conv2d(x, x.tracer.state(this.kernel), undefined));
    }
  }
  const { node, initializer } = graphOf(new Own(), { fold_batch_norm: true });
  assert.deepEqual(node.map(({ opType, input }) => [opType, ...input]), [
    ["Conv", "input", "kernel", "kernel.bias"],
  ]);
  assert.deepEqual(initializer.map(({ name, dims }) => [name, ...dims.map(Number)]), [
    ["kernel", 3, 3, 1, 1],
    ["kernel.bias", 3],
  ]);
});

Deno.test("onnx: a batch norm stays where something else wants what it reads", () => {
  class Twice extends nn.Module {
    conv = new nn.Conv2d(3, 3, 1);
    bn = new nn.BatchNorm2d(3);
    forward(x: nn.Tensor): nn.Tensor {
      const y = this.conv.forward(x);
      return nn.add(this.bn.forward(y), y);
    }
  }
  const { node } = graphOf(new Twice(), { fold_batch_norm: true });
  assert.deepEqual(node.map(({ opType }) => opType), ["Conv", "BatchNormalization", "Add"]);
});

Deno.test("onnx: weights in other files' ways: numbers one by one, constants, [in, out]", () => {
  const graph: GraphProto = {
    name: "g",
    input: [],
    output: [],
    initializer: [{ name: "b", dims: [3], dataType: 1, floatData: [1, 2, 3] }],
    node: [
      {
        opType: "Constant",
        name: "",
        input: [],
        output: ["w"],
        attribute: [{
          name: "value",
          type: 4,
          t: { dims: [2, 3], dataType: 11, doubleData: [1, 2, 3, 4, 5, 6] },
        }],
      },
      { opType: "Gemm", name: "", input: ["x", "w", "b"], output: ["y"], attribute: [] },
    ],
  };
  const dict = readOnnx(encodeModel({ irVersion: 8, graph }), "w.onnx");
  assert.deepEqual([dict.get("w")!.shape, [...dict.get("w")!.data]], [[3, 2], [1, 4, 2, 5, 3, 6]]);
  assert.deepEqual([...dict.get("b")!.data], [1, 2, 3]);
});

Deno.test("onnx: a file that is cut or mutated is read or refused with one line", async () => {
  const model = new TinyNet();
  const bytes = exportOnnx("net", model, [3, 8, 8], weightsOf(model));
  const place = fc.nat({ max: bytes.length - 1 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 4 }),
      place,
      fc.boolean(),
      async (changes, length, cut) => {
        const mutated = cut ? bytes.slice(0, length) : bytes.slice();
        for (const [at, value] of changes) if (at < mutated.length) mutated[at] = value;
        try {
          await parseStateDict(mutated, "w.onnx");
        } catch (error) {
          assert.ok(error instanceof UserError, String((error as Error).stack));
          assert.match(error.message, /^w\.onnx: [^\n]+$/);
        }
      },
    ),
    { numRuns: 300 },
  );
});
