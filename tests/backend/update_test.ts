import assert from "node:assert/strict";
import { adam, rmsprop, sgd, type Step, type Trained } from "../reference/update.ts";
import { assertClose } from "../support/close.ts";
import { uniform } from "../support/uniform.ts";
import type { AttrsOf } from "../../core/ops/mod.ts";
import { type On, onBackends } from "../support/on_backends.ts";

/** Every remainder of the vector loop, a scalar, and a parameter of more than one ticket. */
const shapes = [[1], [2], [3], [4], [5], [6], [7], [], [8, 1, 3, 3], [70001], [9]];
const decays = shapes.map((_, i) => i % 3 === 0 ? 0 : 0.01 * i);
const scales = shapes.map((_, i) => i % 2 === 0 ? 1 : 2);
const steps = 3, lr = 0.05, factor = 0.75;

type Optimiser = "sgd" | "adam" | "rmsprop";

/**
 * Takes three steps on all shapes at once and compares parameters and states with the reference. `states` says where
 * the reference keeps what the op's states hold.
 */
async function check<K extends Optimiser>(
  on: On,
  op: K,
  attrs: Omit<AttrsOf<K>, "weightDecay" | "lrScale">,
  states: readonly (keyof Trained)[],
  hyperOf: (step: number) => number[],
  reference: (state: Trained, gradient: number, step: Step) => void,
) {
  const elements = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
  let held: ArrayLike<number>[] = elements.flatMap((count, i) => [
    uniform(i, count, -1, 1),
    // What a state holds before the first step of SGD must not matter; the others begin at 0.
    ...states.map(() => new Float32Array(count).fill(op === "sgd" ? NaN : 0)),
  ]);
  const truth = elements.map((_, i) =>
    Array.from(held[i * (1 + states.length)]!, (p): Trained => ({ p, b: 0, m: 0, v: 0 }))
  );
  const width = 1 + states.length;
  for (let step = 1; step <= steps; step++) {
    const gradients = elements.map((count, i) => uniform(100 * step + i, count));
    const inputs = [
      { shape: [8], data: [...hyperOf(step), ...new Array(8).fill(0)].slice(0, 8) },
      { shape: [], data: [0.5] },
      { shape: [], data: [factor] },
      ...shapes.flatMap((shape, i) => [
        { shape, data: held[i * width]! },
        { shape, data: gradients[i]! },
        ...states.map((_, s) => ({ shape, data: held[i * width + 1 + s]! })),
      ]),
    ];
    held = await on.run(op, inputs, { ...attrs, weightDecay: decays, lrScale: scales } as AttrsOf<K>);
    truth.forEach((parameter, i) =>
      parameter.forEach((state, e) =>
        reference(state, factor * gradients[i]![e]!, { lr: lr * scales[i]!, decay: decays[i]!, step })
      )
    );
    truth.forEach((parameter, i) => {
      const expect = (field: keyof Trained) => parameter.map((state) => state[field]);
      assertClose(held[i * width], expect("p"), { absolute: 2e-6 }, `step ${step}, parameter ${i}`);
      // RMSprop's first u is 1 / √(1 − alpha) = 10: its buffer is a difference of such numbers.
      states.forEach((field, s) =>
        assertClose(
          held[i * width + 1 + s],
          expect(field),
          { relative: 1e-6, absolute: op === "rmsprop" ? 5e-6 : 2e-6 },
          `step ${step}, ${field}`,
        )
      );
    });
  }
}

onBackends("sgd", async (on) => {
  const variants = [
    { momentum: 0, dampening: 0, nesterov: false },
    { momentum: 0.9, dampening: 0, nesterov: false },
    { momentum: 0.9, dampening: 0.3, nesterov: false },
    { momentum: 0.9, dampening: 0, nesterov: true },
  ];
  for (const attrs of variants) {
    const states = attrs.momentum === 0 ? [] : ["b" as const];
    const hyper = (step: number) => [lr, step === 1 ? 1 : 0];
    await check(
      on,
      "sgd",
      attrs,
      states,
      hyper,
      (state, gradient, step) => sgd(state, gradient, step, attrs),
    );
  }
});

onBackends("adam and adamw", async (on) => {
  for (const decoupled of [false, true]) {
    const attrs = { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled };
    const hyper = (step: number) => [lr, 1 - 0.9 ** step, 1 - 0.999 ** step];
    await check(
      on,
      "adam",
      attrs,
      ["m", "v"],
      hyper,
      (state, gradient, step) => adam(state, gradient, step, attrs),
    );
  }
});

onBackends("rmsprop", async (on) => {
  for (const momentum of [0, 0.9]) {
    const attrs = { alpha: 0.99, eps: 1e-8, momentum };
    const states = momentum === 0 ? ["v" as const] : ["v" as const, "b" as const];
    const reference = (state: Trained, gradient: number, step: Step) => rmsprop(state, gradient, step, attrs);
    await check(on, "rmsprop", attrs, states, () => [lr], reference);
  }
});

onBackends("an update leaves the gradients alone and needs no order of parameters", async (on) => {
  const attrs = { momentum: 0, dampening: 0, nesterov: false, weightDecay: [0, 0], lrScale: [1, 1] };
  const one = { shape: [3], data: [1, 2, 3] }, two = { shape: [2], data: [4, 5] };
  const hyper = { shape: [8], data: [1, 0, 0, 0, 0, 0, 0, 0] }, loss = { shape: [], data: [0] };
  const [a, b] = await on.run(
    "sgd",
    [hyper, loss, { shape: [], data: [1] }, one, one, two, two],
    attrs,
  );
  assert.deepEqual([[...a!], [...b!]], [[0, 0, 0], [0, 0]]);
});

onBackends("nothing changes where the loss or the factor is not finite", async (on) => {
  for (const [loss, factor] of [[NaN, 1], [Infinity, 1], [-Infinity, 1], [1, NaN], [1, Infinity]] as const) {
    const inputs = [
      { shape: [8], data: [0.1, 1, 1, 0, 0, 0, 0, 0] },
      { shape: [], data: [loss] },
      { shape: [], data: [factor] },
      { shape: [3], data: [1, 2, 3] },
      { shape: [3], data: [4, NaN, 6] },
    ];
    const shared = { weightDecay: [0.1], lrScale: [1] };
    const state = { shape: [3], data: [7, 8, 9] };
    const sgd = { ...shared, momentum: 0.9, dampening: 0, nesterov: false };
    const [p, b] = await on.run("sgd", [...inputs, state], sgd);
    assert.deepEqual([[...p!], [...b!]], [[1, 2, 3], [7, 8, 9]]);
    const adam = { ...shared, beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: false };
    const kept = await on.run("adam", [...inputs, state, state], adam);
    assert.deepEqual(kept.map((x) => [...x]), [[1, 2, 3], [7, 8, 9], [7, 8, 9]]);
  }
});

onBackends("gradients are gathered from a fresh start on", async (on) => {
  const of = (seed: number) => shapes.map((shape, i) => uniform(seed + i, shape.reduce((a, b) => a * b, 1)));
  const [sums, gradients] = [of(1), of(100)];
  for (const keep of [0, 1]) {
    const pairs = shapes.flatMap((shape, i) => [
      // What is in a sum before the first batch does not matter.
      { shape, data: keep ? sums[i]! : sums[i]!.map(() => NaN) },
      { shape, data: gradients[i]! },
    ]);
    const head = [{ shape: [], data: [keep] }, { shape: [], data: [0.5] }];
    const gathered = await on.run("accumulate", [...head, ...pairs], {});
    gathered.forEach((sum, i) =>
      assert.deepEqual(sum, gradients[i]!.map((g, e) => keep ? Math.fround(sums[i]![e]! + g) : g))
    );
  }
  const broken = [[[], [1]], [[], [NaN]], [[2], [1, 2]], [[2], [3, 4]]] as const;
  const [left] = await on.run("accumulate", broken.map(([shape, data]) => ({ shape, data })), {});
  assert.deepEqual([...left!], [1, 2]);
});

onBackends("moving averages", async (on) => {
  const of = (seed: number) => shapes.map((shape, i) => uniform(seed + i, shape.reduce((a, b) => a * b, 1)));
  const [averages, values] = [of(1), of(100)];
  for (const [rate, factor] of [[0.25, 0.5], [0, 1], [0.5, NaN]] as const) {
    const pairs = shapes.flatMap((shape, i) => [{ shape, data: averages[i]! }, { shape, data: values[i]! }]);
    const head = [rate, 0.5, factor].map((x) => ({ shape: [], data: [x] }));
    const moved = await on.run("ema", [...head, ...pairs], {});
    const share = Number.isNaN(factor) ? 0 : rate;
    moved.forEach((average, i) =>
      assertClose(
        average,
        Array.from(averages[i]!, (a, e) => a + share * (values[i]![e]! - a)),
        { absolute: share === 0 ? 0 : 2e-7 },
        `rate ${rate}, factor ${factor}`,
      )
    );
  }
});

onBackends("the norm of all gradients and the factor that cuts it down", async (on) => {
  const gradients = shapes.map((shape, i) => ({
    shape,
    data: uniform(i, shape.reduce((a, b) => a * b, 1)),
  }));
  const square = gradients.reduce((sum, { data }) => data.reduce((sum, g) => sum + g * g, sum), 0);
  const norm = Math.sqrt(square);
  for (const [max_norm, given] of [[1, 1], [1, 0.5], [1e6, 0.5]] as const) {
    const inputs = [{ shape: [], data: [given] }, ...gradients];
    const [factor, found] = await on.run("clip_grad_norm", inputs, { max_norm });
    assertClose(found, [norm], { relative: 1e-7 });
    assertClose(factor, [given * Math.min(1, max_norm / (norm + 1e-6))], { relative: 2e-7 });
  }
  for (const bad of [NaN, Infinity]) {
    const inputs = [{ shape: [], data: [1] }, { shape: [3], data: [1, bad, 2] }];
    const [factor] = await on.run("clip_grad_norm", inputs, { max_norm: 1 });
    assert.ok(Number.isNaN(factor![0]));
  }
});

onBackends("a latch lets numbers through until one is not finite, and none after it", async (on) => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    let failed = [0];
    const through: number[] = [];
    for (const x of [1.5, -2, bad, 3, 0]) {
      const [y, kept] = await on.run("latch", [{ shape: [], data: failed }, { shape: [], data: [x] }], {});
      through.push(y![0]!);
      failed = [...kept!];
    }
    assert.deepEqual([through, ...failed], [[1.5, -2, NaN, NaN, NaN], 1]);
  }
});
