import assert from "node:assert/strict";
import { GraphBuilder } from "../../../core/graph/builder.ts";
import { fuse } from "../../../core/graph/fuse.ts";
import { gradient } from "../../../core/graph/gradient.ts";
import { f32, type Graph, type Value } from "../../../core/graph/graph.ts";
import type { WithEpilogue } from "../../../core/ops/epilogue.ts";
import type { BatchNormGradAttrs } from "../../../core/ops/norm.ts";
import { evaluateGraph, trainGraph } from "../../../core/train/graphs.ts";
import { models } from "../../../models/registry.ts";
import { classification } from "../../../core/train/classification.ts";

const IMAGE = f32([2, 4, 5, 5]);

/** A builder with layers on images of one shape. */
function layers() {
  const builder = new GraphBuilder();
  const { emit } = builder;
  let count = 0;
  const vector = (name: string) => builder.state(`${name}${count++}`, f32([4]));
  return {
    builder,
    x: builder.input("x", IMAGE),
    conv(x: Value, ...bias: Value[]): Value {
      const weight = builder.state(`weight${count++}`, f32([4, 4, 3, 3]));
      const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
      return emit("conv2d", [x, weight, ...bias], attrs)[0]!;
    },
    norm(x: Value, training: boolean): Value {
      const vectors = ["weight", "bias", "mean", "var"].map(vector);
      return emit("batch_norm", [x, ...vectors], { training, momentum: 0.1, eps: 1e-5 })[0]!;
    },
    relu: (x: Value) => emit("relu", [x], {})[0]!,
    leaky: (x: Value) => emit("leaky_relu", [x], { negative_slope: 0.1 })[0]!,
    add: (a: Value, b: Value) => emit("add", [a, b], {})[0]!,
    /** Gradients to all states so far, from one that arrives at y. */
    backward(y: Value) {
      const wrt = [...builder.states.values()].filter(({ name }) => /^(weight|bias)/.test(name));
      const grads = gradient(builder, y, builder.input("dy", f32(y.shape)), wrt);
      for (const [{ name }, value] of grads) builder.output(`grad.${name}`, value);
    },
  };
}

/** The ops of the fused graph, with what they do besides: `conv2d+relu`. */
function fusedOps(graph: Graph): string[] {
  return fuse(graph).nodes.map(({ op, attrs }) => {
    const { epilogue = [] } = attrs as WithEpilogue;
    const { activation } = attrs as Partial<BatchNormGradAttrs>;
    return [op, ...epilogue.map((step) => step.op), ...(activation ? [`behind ${activation.op}`] : [])].join(
      "+",
    );
  });
}

Deno.test("inference: norm, residual sum and activation are the convolution's epilogue", () => {
  const { builder, x, conv, norm, add, relu } = layers();
  builder.output("y", relu(add(norm(conv(x), false), x)));
  assert.deepEqual(fusedOps(builder.finish()), ["conv2d+batch_norm+add+relu"]);
});

Deno.test("a sum after the activation is in the epilogue too, a second one is not", () => {
  const { builder, x, conv, norm, add, leaky } = layers();
  const y = add(leaky(norm(conv(x), false)), x);
  builder.output("y", add(y, x));
  assert.deepEqual(fusedOps(builder.finish()), ["conv2d+batch_norm+leaky_relu+add", "add"]);
});

Deno.test("of two sides, the one that is made later takes the sum over", () => {
  const { builder, x, conv, norm, add, relu } = layers();
  const first = norm(conv(x), false), second = norm(conv(x), false);
  builder.output("y", relu(add(first, second)));
  const graph = fuse(builder.finish());
  assert.deepEqual(fusedOps(graph), ["conv2d+batch_norm", "conv2d+batch_norm+add+relu"]);
  assert.equal(graph.nodes[1]!.inputs.at(-1), graph.nodes[0]!.outputs[0]);
  assert.equal(graph.outputs.get("y"), graph.nodes[1]!.outputs[0]);
});

Deno.test("a step never reads what is made after its host", () => {
  const { builder, x, conv, add, relu } = layers();
  const first = conv(x), late = builder.emit("sigmoid", [conv(first)], {})[0]!;
  builder.output("y", relu(add(first, late)));
  assert.deepEqual(fusedOps(builder.finish()), ["conv2d", "conv2d", "sigmoid", "add", "relu"]);
});

Deno.test("what is used elsewhere, or is an output, stays", () => {
  for (const other of ["used twice", "an output"]) {
    const { builder, x, conv, relu, add } = layers();
    const between = conv(x), y = relu(between);
    if (other === "an output") builder.output("between", between);
    builder.output("y", other === "an output" ? y : add(y, between));
    const wanted = other === "an output" ? ["conv2d", "relu"] : ["conv2d", "relu", "add"];
    assert.deepEqual(fusedOps(builder.finish()), wanted, other);
  }
});

Deno.test("a value added to itself stays", () => {
  const { builder, x, conv, add } = layers();
  const y = conv(x);
  builder.output("y", add(y, y));
  assert.deepEqual(fusedOps(builder.finish()), ["conv2d", "add"]);
});

Deno.test("a batch norm whose statistics something else wants stays", () => {
  const { builder, x, conv, norm } = layers();
  const y = norm(conv(x), false);
  builder.output("y", y);
  builder.output("invstd", builder.nodes.at(-1)!.outputs[2]!);
  assert.deepEqual(fusedOps(builder.finish()), ["conv2d", "batch_norm"]);
});

Deno.test("a state that changes between host and step stays where it is read", () => {
  const { builder, x, conv, relu, norm } = layers();
  const y = conv(x);
  norm(x, true);
  const [, , , mean, variance] = builder.nodes.at(-1)!.inputs;
  const vectors = ["scale", "shift"].map((name) => builder.state(name, f32([4])));
  const attrs = { training: false, momentum: 0, eps: 1e-5 };
  builder.output("y", relu(builder.emit("batch_norm", [y, ...vectors, mean!, variance!], attrs)[0]!));
  assert.deepEqual(fusedOps(builder.finish()), ["conv2d", "batch_norm", "batch_norm+relu"]);
});

Deno.test("training: activations join the norms before them, and their gradients the norms' gradients", () => {
  for (const kind of ["relu", "leaky"] as const) {
    const { builder, x, conv, norm, backward, ...activations } = layers();
    const op = kind === "relu" ? "relu" : "leaky_relu";
    backward(conv(activations[kind](norm(conv(x), true))));
    assert.deepEqual(fusedOps(builder.finish()), [
      ...["conv2d", `batch_norm+${op}`, "conv2d"],
      ...["conv2d_grad_input", "conv2d_grad_weight"],
      ...[`batch_norm_grad+behind ${op}`, "conv2d_grad_weight"],
    ]);
  }
});

Deno.test("training: the gradient of a residual sum and its activation end a product", () => {
  const { builder, x, conv, norm, add, relu, backward } = layers();
  const block = (x: Value) => relu(add(norm(conv(x), true), x));
  backward(block(block(conv(x))));
  assert.deepEqual(fusedOps(builder.finish()), [
    ...["conv2d", "conv2d", "batch_norm+add+relu", "conv2d", "batch_norm+add+relu"],
    ...["relu_grad", "batch_norm_grad", "conv2d_grad_input+add+relu_grad", "conv2d_grad_weight"],
    ...["batch_norm_grad", "conv2d_grad_input+add", "conv2d_grad_weight", "conv2d_grad_weight"],
  ]);
});

Deno.test("training: without norms, activations join the convolutions in both directions", () => {
  const { builder, x, conv, relu, backward } = layers();
  const bias = builder.state("bias", f32([4]));
  backward(relu(conv(relu(conv(x, bias)))));
  assert.deepEqual(fusedOps(builder.finish()), [
    ...["conv2d+relu", "conv2d+relu", "relu_grad"],
    ...["conv2d_grad_input+relu_grad", "conv2d_grad_weight", "conv2d_grad_weight", "sum_channels"],
  ]);
});

Deno.test("a gradient that is wanted before it goes through the activation stays", () => {
  const { builder, x, norm, relu } = layers();
  const middle = norm(x, true), y = relu(middle);
  const dy = builder.input("dy", IMAGE);
  const weights = [...builder.states.values()].filter(({ name }) => name.startsWith("weight"));
  const grads = gradient(builder, y, dy, [...weights, middle]);
  builder.output("weight", grads.get(weights[0]!)!);
  builder.output("middle", grads.get(middle)!);
  assert.deepEqual(fusedOps(builder.finish()), ["batch_norm+relu", "relu_grad", "batch_norm_grad"]);
});

Deno.test("a max pool without gradient does not say which places won", () => {
  const { builder, x } = layers();
  const attrs = {
    kernel: [2, 2],
    stride: [2, 2],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    ceil_mode: false,
  } as const;
  const [y] = builder.emit("max_pool2d", [x], attrs);
  builder.output("y", y!);
  assert.deepEqual(fuse(builder.finish()).nodes[0]!.outputs, [y]);
  const [, where] = builder.nodes[0]!.outputs;
  builder.output("where", where!);
  assert.deepEqual(fuse(builder.finish()).nodes[0]!.outputs, [y, where]);
});

Deno.test("whole networks: every value is made before it is read, outputs stay, and fusing again changes nothing", () => {
  for (const name of ["resnet18", "darknet53", "googlenet", "densenet121", "mobilenet_v2", "vgg16_cifar"]) {
    const size = name === "vgg16_cifar" ? 32 : 224;
    const images = { batch: 2, channels: 3, height: size, width: size, mean: [0, 0, 0], std: [1, 1, 1] };
    const model = models[name]!.create({ num_classes: 10 });
    const optimizer = { name: "sgd", momentum: 0.9, weight_decay: 0 } as const;
    for (
      const graph of [
        evaluateGraph(model, images, classification()),
        trainGraph(model, { images, optimizer, task: classification() }),
      ]
    ) {
      const fused = fuse(graph);
      assert.ok(fused.nodes.length < graph.nodes.length, name);
      const made = new Set<Value>([...graph.inputs.values(), ...graph.states.values()]);
      for (const { inputs, outputs } of fused.nodes) {
        for (const value of inputs) assert.ok(made.has(value), `${name}: a value is read before it is made`);
        for (const value of outputs) made.add(value);
      }
      for (const value of fused.outputs.values()) assert.ok(made.has(value), `${name}: an output is gone`);
      assert.deepEqual(fuse(fused).nodes, fused.nodes);
    }
  }
});
