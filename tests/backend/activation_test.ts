import assert from "node:assert/strict";
import fc from "fast-check";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { gradient } from "../../core/graph/gradient.ts";
import { f32 } from "../../core/graph/graph.ts";
import { sizeOf } from "../../core/shape.ts";
import {
  gradients,
  logSoftmax,
  logSoftmaxGrad,
  softmax,
  softmaxGrad,
  values,
} from "../reference/activation.ts";
import { assertClose } from "../support/close.ts";
import { backendFor, runOp } from "../support/run_op.ts";
import { uniform } from "../support/uniform.ts";
import { onBackends } from "../support/on_backends.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

const names = ["relu", "leaky_relu", "relu6", "sigmoid", "tanh"] as const;
const attrs = { negative_slope: 0.1 };
/** Every remainder of the vector loops, and more than one ticket. */
const counts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 16385, 40003];

/** What float32 allows: one rounding for the exact ones, about two units in the last place for the others. */
const tolerance = { relative: 2.5e-7, absolute: 1e-9 };

onBackends("activations and their gradients agree with float64 at every remainder", async (on) => {
  for (const name of names) {
    for (const count of on.some(counts)) {
      const shape = [count];
      const x = uniform(count, count, -9, 9), dy = uniform(count + 1, count, -2, 2);
      const [y] = await on.run(name, [{ shape, data: x }], attrs);
      assertClose(y, Array.from(x, (value) => values[name](value, 0.1)), tolerance, name);
      const saved = name === "leaky_relu" ? x : y!;
      const inputs = [{ shape, data: dy }, { shape, data: saved }];
      const [dx] = await on.run(`${name}_grad`, inputs, attrs);
      const expected = Array.from(dy, (value, i) => gradients[name](value, saved[i]!, 0.1));
      assertClose(dx, expected, tolerance, `${name}_grad`);
    }
  }
});

onBackends("sigmoid and tanh hold from the smallest to the largest numbers", async (on) => {
  const x = new Float32Array(20001).map((_, i) => (i - 10000) / 80);
  const tiny = new Float32Array(2001).map((_, i) => (i - 1000) * 1e-6);
  const far = Float32Array.of(-Infinity, Infinity, -1e30, 1e30, -88.4, 88.4, -1e-38, 0);
  for (const data of [x, tiny, far]) {
    const input = [{ shape: [data.length], data }];
    const [s] = await on.run("sigmoid", input, {});
    // Below e^−87 float32 has no full precision to lose.
    assertClose(s, Array.from(data, (value) => values.sigmoid(value)), { relative: 2.5e-7, absolute: 1e-38 });
    const [t] = await on.run("tanh", input, {});
    assertClose(t, Array.from(data, (value) => Math.tanh(value)), { relative: 2.5e-7, absolute: 1e-45 });
  }
});

onBackends("NaN passes through every activation", async (on) => {
  for (const name of names) {
    const [y] = await on.run(name, [{ shape: [5], data: [1, NaN, -1, 2, NaN] }], attrs);
    assert.deepEqual(Array.from(y!, Number.isNaN), [false, true, false, false, true], name);
  }
});

Deno.test("activations that work in place give what they give apart", pooled, async () => {
  const shape = [10007], bytes = Math.ceil(4 * 10007 / 64) * 64;
  const x = uniform(1, 10007, -8, 8), dy = uniform(2, 10007);
  const backend = await backendFor({ threads: 2 });
  for (const name of names) {
    const [expected] = await runOp(name, [{ shape, data: x }], attrs);
    const builder = new GraphBuilder();
    const [own] = builder.emit("scale", [builder.input("x", f32(shape))], { factor: 1 });
    builder.output("y", builder.emit(name, [own!], attrs)[0]!);
    const session = backend.compile({ op: builder.finish() });
    assert.equal(session.memory.arenaBytes, bytes, "input and output share memory");
    session.write("op", "x", x);
    await session.run("op");
    assert.deepEqual(await session.read("op", "y"), expected, name);
    session.dispose();
  }
  for (const name of names) {
    const [expected] = await runOp(`${name}_grad`, [{ shape, data: dy }, { shape, data: x }], attrs);
    for (const place of [0, 1]) {
      const builder = new GraphBuilder();
      const inputs = [builder.input("dy", f32(shape)), builder.input("saved", f32(shape))];
      inputs[place] = builder.emit("scale", [inputs[place]!], { factor: 1 })[0]!;
      builder.output("dx", builder.emit(`${name}_grad`, inputs, attrs)[0]!);
      const session = backend.compile({ op: builder.finish() });
      assert.equal(session.memory.arenaBytes, bytes, "input and output share memory");
      session.write("op", "dy", dy);
      session.write("op", "saved", x);
      await session.run("op");
      assert.deepEqual(await session.read("op", "dx"), expected, `${name}_grad over input ${place}`);
      session.dispose();
    }
  }
});

onBackends("leaky ReLU's gradient is right for any slope, whatever it keeps", async (on) => {
  const x = Float32Array.of(-3, -1e-30, -0, 0, 1e-30, 2, Infinity, -Infinity), dy = x.map((_, i) => i + 1);
  const shape = [x.length], backend = on.backend;
  for (const negative_slope of [0.1, 0, 2, -0.5]) {
    const builder = new GraphBuilder();
    const value = builder.input("x", f32(shape));
    const [y] = builder.emit("leaky_relu", [value], { negative_slope });
    builder.output("dx", gradient(builder, y!, builder.input("dy", f32(shape)), [value]).get(value)!);
    const session = backend.compile({ op: builder.finish() });
    session.write("op", "x", x);
    session.write("op", "dy", dy);
    await session.run("op");
    const expected = dy.map((value, i) => x[i]! > 0 ? value : value * negative_slope);
    assert.deepEqual(await session.read("op", "dx"), expected, `slope ${negative_slope}`);
    session.dispose();
  }
});

const softmaxCase = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc.record({ shape: fc.constant(shape), dim: fc.nat({ max: shape.length - 1 }), seed: fc.nat() })
  );

onBackends("softmax, log softmax and their gradients agree with float64 along any axis", async (on) => {
  const check = async ({ shape, dim, seed }: { shape: number[]; dim: number; seed: number }) => {
    const count = sizeOf(shape);
    const x = uniform(seed, count, -20, 20), dy = uniform(seed + 1, count);
    const [y] = await on.run("softmax", [{ shape, data: x }], { dim });
    // The exponent's argument is already rounded to float32 here: 40 · 2⁻²⁴ is relative 2.4e-6.
    assertClose(y, softmax(shape, dim, x), { relative: 3e-6, absolute: 1e-12 }, "softmax");
    const [dx] = await on.run("softmax_grad", [{ shape, data: dy }, { shape, data: y! }], { dim });
    assertClose(dx, softmaxGrad(shape, dim, dy, y!), { absolute: 3e-7 }, "softmax_grad");
    const [z] = await on.run("log_softmax", [{ shape, data: x }], { dim });
    assertClose(z, logSoftmax(shape, dim, x), { relative: 2e-7, absolute: 3e-7 }, "log_softmax");
    const [dz] = await on.run("log_softmax_grad", [{ shape, data: dy }, { shape, data: z! }], { dim });
    assertClose(dz, logSoftmaxGrad(shape, dim, dy, z!), { absolute: 3e-6 }, "log_softmax_grad");
  };
  await fc.assert(fc.asyncProperty(softmaxCase, check), { numRuns: on.runs(40) });
  // More rows than a ticket holds, and a long row.
  await check({ shape: [300, 37], dim: 1, seed: 5 });
  await check({ shape: [3, 10, 20, 21], dim: 2, seed: 6 });
  await check({ shape: [2, 9001], dim: 1, seed: 7 });
});

onBackends(
  "softmax: masked scores get 0, large scores do not overflow, NaN spoils its row alone",
  async (on) => {
    const data = [1, -Infinity, 1, 3e38, 0, -3e38, NaN, 1, 2];
    const [y] = await on.run("softmax", [{ shape: [3, 3], data }], { dim: 1 });
    assert.deepEqual([...y!], [0.5, 0, 0.5, 1, 0, 0, NaN, NaN, NaN]);
    const [z] = await on.run("log_softmax", [{ shape: [3, 3], data }], { dim: 1 });
    assert.deepEqual([...z!.slice(6)], [NaN, NaN, NaN]);
  },
);
