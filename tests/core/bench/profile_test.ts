import assert from "node:assert/strict";
import type { KernelTime } from "../../../core/backend/backend.ts";
import { macsOf, trafficOf } from "../../../core/bench/cost.ts";
import { kindOf, profileOf } from "../../../core/bench/profile.ts";
import { profileText, rateText } from "../../../core/bench/profile_text.ts";
import { GraphBuilder } from "../../../core/graph/builder.ts";
import { f32, type Node } from "../../../core/graph/graph.ts";

/** A convolution of two kernels, its ReLU, and a step of SGD. */
function nodes(): [conv: Node, relu: Node, sgd: Node] {
  const builder = new GraphBuilder();
  const x = builder.input("x", f32([2, 3, 8, 8])), weight = builder.state("weight", f32([4, 3, 3, 3]));
  const attrs = { stride: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
  builder.scope = "stem";
  builder.layer = "Conv2d";
  const [y] = builder.emit("conv2d", [x, weight], attrs);
  builder.emit("relu", [y!], {});
  builder.scope = builder.layer = "";
  const scalars = [builder.input("loss", f32([])), builder.input("factor", f32([]))];
  const inputs = [builder.input("hyper", f32([8])), ...scalars, weight, weight];
  const update = { weightDecay: [0], lrScale: [1], momentum: 0, dampening: 0, nesterov: false };
  builder.emit("sgd", inputs, update);
  return [...builder.nodes] as [Node, Node, Node];
}

Deno.test("a node's cost: multiply-adds by the direct method, and every byte that passes", () => {
  const [conv, relu, sgd] = nodes();
  assert.equal(macsOf(conv), 2 * 4 * 4 * 4 * 27);
  assert.equal(macsOf(relu), 0);
  const y = 2 * 4 * 4 * 4, x = 2 * 3 * 64, weight = 4 * 27;
  assert.equal(trafficOf(conv), 4 * (x + weight + y));
  assert.equal(trafficOf(relu), 4 * (y + y));
  // The weight stands for its gradient as well here: read once, written once.
  assert.equal(trafficOf(sgd), 4 * (8 + 1 + 1 + weight + weight));
});

Deno.test("a kind is the op, its window, and what was fused with it", () => {
  const [conv, relu] = nodes();
  const fused = (node: Node, attrs: Record<string, unknown>) =>
    kindOf({ ...node, attrs: { ...node.attrs, ...attrs } as Node["attrs"] });
  const epilogue = [{ op: "add", inputs: [2] }, { op: "relu", inputs: [] }];
  assert.deepEqual([kindOf(conv), kindOf(relu)], ["conv2d 3×3/2", "relu"]);
  assert.equal(
    fused(conv, { epilogue, groups: 3, dilation: [2, 1] }),
    "conv2d 3×3/2, dilation 2×1, 3 groups + add + relu",
  );
  const grad: Node = { ...relu, op: "batch_norm_grad" };
  assert.equal(fused(grad, { activation: { op: "relu" } }), "batch_norm_grad + relu_grad");
});

/** Two kernels for the convolution, one for each of the others. */
function run(milliseconds: readonly [number, number, number, number]): KernelTime[] {
  const [conv, relu, sgd] = NODES;
  const kernels: [string, Node][] = [["packPanels", conv], ["gemm", conv], ["relu", relu], ["sgd", sgd]];
  return kernels.map(([kernel, node], call) => {
    const time = milliseconds[call]!;
    return { kernel, node, milliseconds: time, waiting: time / 4 };
  });
}
const NODES = nodes();

Deno.test("a profile sums calls up by op, layer, node and kernel, the slowest first", () => {
  const profile = profileOf([run([1, 3, 8, 2]), run([9, 9, 9, 9]), run([1, 1, 1, 1])]);
  assert.deepEqual([profile.steps, profile.milliseconds, profile.waiting], [3, 14, 3.5]);
  const brief = (shares: typeof profile.ops) =>
    shares.map(({ name, milliseconds, calls }) => [name, milliseconds, calls]);
  assert.deepEqual(brief(profile.ops), [["relu", 8, 1], ["conv2d 3×3/2", 4, 2], ["sgd", 2, 1]]);
  assert.deepEqual(brief(profile.layers), [["stem Conv2d", 12, 3], ["(network)", 2, 1]]);
  assert.deepEqual(brief(profile.nodes), [
    ["stem relu 4×4×4", 8, 1],
    ["stem conv2d 3×3/2, 3×8×8 → 4", 4, 2],
    ["(network) sgd", 2, 1],
  ]);
  assert.deepEqual(brief(profile.kernels), [["relu", 8, 1], ["gemm", 3, 1], ["sgd", 2, 1], [
    "packPanels",
    1,
    1,
  ]]);
  // A node's cost counts once, however many kernels it takes.
  assert.equal(profile.ops[1]!.macs, macsOf(NODES[0]));
  assert.equal(profile.layers[0]!.bytes, trafficOf(NODES[0]) + trafficOf(NODES[1]));
});

Deno.test("rates are told against the nearer roof", () => {
  const roof = { gflops: 100, gigabytes: 10 };
  assert.deepEqual(rateText({ milliseconds: 2, macs: 5e7, bytes: 1e6 }, roof), [
    "50.0 GFLOP/s",
    "50.0 % peak",
  ]);
  assert.deepEqual(rateText({ milliseconds: 2, macs: 5e6, bytes: 1e7 }, roof), [
    "5.0    GB/s",
    "50.0 % copy",
  ]);
  assert.deepEqual(rateText({ milliseconds: 2, macs: 0, bytes: 0 }, roof), ["", ""]);
});

Deno.test("tables end with what they leave out", () => {
  const lines = profileText(
    profileOf([run([1, 3, 8, 2])]),
    { gflops: 0.01, gigabytes: 0.001 },
    "a kernel",
    1,
  );
  assert.match(
    lines[0]!,
    /each call's median of 1 step\): 14\.0 ms in kernels, 3\.5 ms of them \(25\.0 %\) waiting/,
  );
  assert.match(lines[3]!, /^by op +ms +of step +waiting +rate +of roof$/);
  assert.match(lines[4]!, /^relu +8\.00 +57\.1 % +25\.0 % +0\.0 +GB\/s +12\.8 % copy$/);
  assert.equal(lines[5], "and 2 more: 6.00 ms, 42.9 %");
  assert.deepEqual(lines.slice(-2).map((line) => line.split(/ {2,}/)), [
    ["relu", "8.00", "57.1 %", "25.0 %"],
    ["and 3 more: 6.00 ms, 42.9 %"],
  ]);
});

Deno.test("where nothing waits, as on a GPU, nothing is said of it", () => {
  const times = run([1, 3, 8, 2]).map((time) => ({ ...time, waiting: 0 }));
  const lines = profileText(profileOf([times]), { gflops: 1, gigabytes: 1 }, "multiply-adds", 9);
  assert.match(lines[0]!, /14\.0 ms in kernels$/);
  assert.equal(lines[1], "Roofline: 1.0 GFLOP/s, the peak of multiply-adds; 1.0 GB/s copying");
  assert.match(lines[3]!, /^by op +ms +of step +rate +of roof$/);
  assert.match(lines.at(-1)!, /^packPanels +1\.00 +7\.1 %$/);
});
