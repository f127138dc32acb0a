import assert from "node:assert/strict";
import { uniforms } from "../reference/random.ts";
import { assertClose } from "../support/close.ts";
import { uniform } from "../support/uniform.ts";
import { onBackends } from "../support/on_backends.ts";

const rng = [0x89abcdef | 0, 77, 5, 0];
const rngInput = { shape: [4], data: rng, dtype: "i32" as const };
const counts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 30, 33, 16384, 16387, 33001];

onBackends("init_uniform gives Philox's numbers, to the bit", async (on) => {
  for (const count of on.some(counts)) {
    const state = { shape: [count], data: new Float32Array(count) };
    const [unit] = await on.run("init_uniform", [state, rngInput], { stream: 3, low: 0, high: 1 });
    const expected = uniforms(count, rng, 3);
    assert.deepEqual([...unit!], expected);
    const [wide] = await on.run("init_uniform", [state, rngInput], { stream: 3, low: -0.5, high: 2 });
    assertClose(wide, expected.map((u) => -0.5 + 2.5 * u), { absolute: 3e-7 });
  }
});

onBackends("streams and steps have numbers of their own", async (on) => {
  const draw = async (stream: number, step: number) => {
    const input = { ...rngInput, data: [1, 2, step, 0] };
    const state = { shape: [64], data: new Float32Array(64) };
    return (await on.run("init_uniform", [state, input], { stream, low: 0, high: 1 }))[0]!;
  };
  const all = [await draw(0, 0), await draw(1, 0), await draw(0, 1), await draw(1, 1)].flatMap((a) => [...a]);
  assert.equal(new Set(all).size, all.length);
  assert.deepEqual(await draw(1, 1), await draw(1, 1));
});

onBackends("init_normal is Box and Muller's transform of the same numbers", async (on) => {
  for (const count of on.some(counts)) {
    const state = { shape: [count], data: new Float32Array(count) };
    const [z] = await on.run("init_normal", [state, rngInput], { stream: 9, mean: 0.25, std: 2 });
    const u = uniforms(count + 3, rng, 9);
    const expected = Array.from({ length: count }, (_, i) => {
      const radius = Math.sqrt(-2 * Math.log(1 - u[i - i % 2]!)), angle = 2 * Math.PI * u[i - i % 2 + 1]!;
      return 0.25 + 2 * radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    });
    assertClose(z, expected, { absolute: 3e-6 });
  }
});

onBackends("init_normal has the moments and the tails of a normal distribution", async (on) => {
  const count = 1 << 18;
  const state = { shape: [count], data: new Float32Array(count) };
  const [output] = await on.run("init_normal", [state, rngInput], { stream: 0, mean: 0, std: 1 });
  const z = Array.from(output!);
  const moment = (power: number) => z.reduce((sum, value) => sum + value ** power, 0) / count;
  // Five standard errors of each moment.
  assertClose([moment(1), moment(2), moment(3), moment(4)], [0, 1, 0, 3], {
    absolute: 5 * Math.sqrt(96 / count),
  });
  const beyond2 = z.filter((value) => Math.abs(value) > 2).length / count;
  assertClose([beyond2], [0.0455], { absolute: 0.002 });
});

onBackends("init_constant fills the state", async (on) => {
  const [y] = await on.run("init_constant", [{ shape: [3, 5, 7], data: new Float32Array(105) }], {
    value: 2.5,
  });
  assert.deepEqual([...y!], new Array(105).fill(2.5));
});

onBackends("dropout keeps where uniform ≥ p, and repeats itself for the gradient", async (on) => {
  for (const p of [0, 0.3, 0.5, 1]) {
    for (const count of on.some(counts)) {
      const x = uniform(count, count, -3, 3).map((value) => value + 4);
      const [y] = await on.run("dropout", [{ shape: [count], data: x }, rngInput], { p, stream: 2 });
      const u = uniforms(count, rng, 2);
      const expected = Array.from(x, (value, i) => u[i]! >= Math.fround(p) ? value / (1 - p) : 0);
      assertClose(y, expected, { relative: 2e-7 });
    }
  }
});

onBackends("dropout follows memory's order, channels last", async (on) => {
  const shape = [2, 3, 4, 5];
  const [y] = await on.run("dropout", [{ shape, data: new Float32Array(120).fill(1) }, rngInput], {
    p: 0.5,
    stream: 2,
  });
  const u = uniforms(120, rng, 2);
  for (let i = 0; i < 120; i++) {
    const n = Math.floor(i / 60), c = Math.floor(i / 20) % 3, place = i % 20;
    assert.equal(y![i], u[(n * 20 + place) * 3 + c]! >= 0.5 ? 2 : 0);
  }
});
