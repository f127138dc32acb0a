/** Products on WebGPU: every way to cut them, at its borders; which is chosen, by rule and by measurement. */
import assert from "node:assert/strict";
import { autotune } from "../../core/backend/autotune.ts";
import { createWebgpuBackend, type WebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { cutNamed, cutsFor, nameOfCut } from "../../core/backend/webgpu/lower/cut.ts";
import { type TileName, TILES } from "../../core/backend/webgpu/wgsl/tiles.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { f32 } from "../../core/graph/graph.ts";
import type { Shape } from "../../core/shape.ts";
import { matrixProduct } from "../reference/conv.ts";
import { assertClose, checkConv, noise, plain, shapesOf } from "../support/check_conv.ts";
import { Always } from "../support/always.ts";
import { onWebgpu } from "../support/on_backends.ts";
import { backendFor, runOp, type Where } from "../support/run_op.ts";

const cutBy = (way: string, abilities = {}) => ({ webgpu: { choices: new Always(way), abilities } });

/** x · wᵀ on WebGPU, and what it should be. */
async function checkLinear([m, n, k]: readonly [number, number, number], where: Where) {
  const x = noise([m, k], 1), w = noise([n, k], 2);
  const [y] = await runOp("linear", [{ shape: [m, k], data: x }, { shape: [n, k], data: w }], {}, where);
  const product = (f: (v: number) => number) =>
    matrixProduct([m, n, k], (i, l) => f(x[i * k + l]!), (l, j) => f(w[j * k + l]!));
  assertClose(y, product((v) => v), product(Math.abs), `${m} × ${n} × ${k}, ${JSON.stringify(where)}`);
}

onWebgpu(
  "every tile is right at its borders, with K split and whole, by vectors and one by one",
  async () => {
    for (const [index, [name, { m, n }]] of Object.entries(TILES).entries()) {
      const sizes = index % 2 === 0 ? [m + 1, n - 1, 35] as const : [m - 1, n + 4, 36] as const;
      await checkLinear(sizes, cutBy(`${name}/${1 + index % 3}`));
    }
  },
);

onWebgpu("patches that invocations share out unevenly are right in all directions", async () => {
  await checkConv(shapesOf([130, 20, 1, 1], [68, 20, 1, 1], plain), true, cutBy("128x64/1"));
});

onWebgpu("workgroups with little memory keep one strip of each side", async () => {
  const shapes = shapesOf([2, 20, 9, 8], [70, 20, 3, 3], { ...plain, padding: [1, 1, 1, 1] });
  await checkConv(shapes, true, cutBy("64x64/2", { workgroupBytes: 8192 }));
});

onWebgpu("images are walked over whole strips: small ones, strided, 3 channels, wide groups", async () => {
  const cases: [Shape, Shape, Partial<typeof plain>][] = [
    // Strips of 16 pixels hold several images.
    [[9, 8, 2, 3], [8, 8, 3, 3], { padding: [1, 1, 1, 1] }],
    [[3, 3, 17, 19], [8, 3, 7, 7], { stride: [2, 2], padding: [3, 3, 3, 3] }],
    [[2, 8, 9, 7], [12, 8, 1, 1], { stride: [2, 2] }],
    [[2, 40, 5, 5], [40, 20, 3, 2], { groups: 2, dilation: [2, 1], padding: [1, 2, 0, 1], stride: [1, 2] }],
  ];
  for (const [x, weight, attrs] of cases) {
    const shapes = shapesOf(x, weight, { ...plain, ...attrs });
    await checkConv(shapes, false, cutBy("32x32/2"));
  }
});

Deno.test("by shape alone: large tiles for large products, K split where rows and columns are few", () => {
  const first = (m: number, n: number, k: number, splits = true) =>
    cutsFor({ m, n, k, groups: 1, splits })[0]!;
  assert.deepEqual(first(4096, 4096, 4096), { tile: "128x128", slices: 1 });
  assert.deepEqual(first(200704, 64, 576), { tile: "128x64", slices: 1 });
  assert.equal(first(64, 64, 200704, false).slices, 1);
  const gradient = first(64, 576, 200704);
  assert.ok(gradient.slices >= 16, nameOfCut(gradient));
  const few = first(7, 10, 100);
  assert.deepEqual(few, { tile: "32x32", slices: 1 });
});

Deno.test("a cut's name says it, and nothing else is one", () => {
  for (const tile of Object.keys(TILES) as TileName[]) {
    assert.deepEqual(cutNamed(nameOfCut({ tile, slices: 4 })), { tile, slices: 4 });
  }
  for (const name of ["", "128x128", "128x128/0", "9x9/1", "winograd4", "128x128/1.5", "toString/1"]) {
    assert.equal(cutNamed(name), undefined);
  }
});

onWebgpu("autotune measures each product once, and its choice changes no more than rounding", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", f32([40, 300])), weight = builder.input("weight", f32([33, 300]));
  const [y] = builder.emit("linear", [x, weight], {});
  builder.output("y", builder.emit("scale", [y!], { factor: 2 })[0]!);
  const graph = builder.finish();
  const { gpu } = await backendFor("webgpu") as WebgpuBackend;
  const known = new Map<string, string>();
  const backend = await createWebgpuBackend({ gpu, choices: known });
  await autotune(backend, { graph }, known);
  assert.deepEqual([...known.keys()], ["linear 40x300 33x300"]);
  const [[name, way]] = [...known] as [[string, string]];
  assert.ok(backend.tuning.knows(way), way);
  assert.ok(backend.tuning.key.includes(gpu.name));
  const asked: number[] = [];
  await autotune(backend, { graph }, known, (_done, of) => asked.push(of));
  assert.deepEqual(asked, [0]);
  await checkLinear([40, 33, 300], { webgpu: { choices: new Map([[name, way]]) } });
});

onWebgpu("groups of one channel and of four are right by vectors, strided and dilated", async () => {
  const cases: [Shape, Shape, Partial<typeof plain>][] = [
    [[2, 8, 9, 7], [8, 1, 3, 3], { groups: 8, padding: [1, 1, 1, 1] }],
    [[2, 12, 9, 7], [12, 1, 3, 2], { groups: 12, stride: [2, 1], dilation: [1, 2], padding: [2, 0, 1, 1] }],
    [[2, 6, 5, 7], [6, 1, 3, 3], { groups: 6, padding: [1, 1, 1, 1] }],
    [[2, 24, 7, 6], [48, 4, 3, 2], { groups: 6, stride: [1, 2], padding: [1, 1, 1, 1] }],
  ];
  for (const [x, weight, attrs] of cases) {
    await checkConv(shapesOf(x, weight, { ...plain, ...attrs }), true, "webgpu");
  }
});
