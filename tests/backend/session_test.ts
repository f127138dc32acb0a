import assert from "node:assert/strict";
import { OutOfMemory } from "../../core/backend/backend.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { f32, type Graph } from "../../core/graph/graph.ts";
import { backendFor } from "../support/run_op.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

/** y = x · factor, some times over. */
function scaled(count: number, factor: number, times = 1): Graph {
  const builder = new GraphBuilder();
  let value = builder.input("x", f32([count]));
  for (let i = 0; i < times; i++) value = builder.emit("scale", [value], { factor })[0]!;
  builder.output("y", value);
  return builder.finish();
}

Deno.test("runs that are asked for at once happen one after another", pooled, async () => {
  const backend = await backendFor({ threads: 2 });
  const sessions = [2, 3, 4].map((factor) => backend.compile({ graph: scaled(50_000, factor, factor) }));
  for (let round = 1; round <= 20; round++) {
    for (const session of sessions) session.write("graph", "x", new Float32Array(50_000).fill(round));
    await Promise.all(sessions.map((session) => session.run("graph")));
    for (const [index, session] of sessions.entries()) {
      const y = await session.read("graph", "y");
      assert.ok(y.every((number) => number === round * (index + 2) ** (index + 2)), `${round}: ${y[0]}`);
    }
  }
  for (const session of sessions) session.dispose();
});

Deno.test("bytes are read as they were written", pooled, async () => {
  const builder = new GraphBuilder();
  builder.output("pixels", builder.input("pixels", { shape: [2, 3, 4, 5], dtype: "u8" }));
  const session = (await backendFor({ threads: 2 })).compile({ graph: builder.finish() });
  const bytes = Uint8Array.from({ length: 120 }, (_, i) => i);
  session.write("graph", "pixels", bytes);
  assert.deepEqual(await session.read("graph", "pixels"), bytes);
  session.dispose();
});

Deno.test("memory that other sessions hold cannot be had", pooled, async () => {
  const backend = await backendFor({ threads: 2 });
  const holding = backend.compile({ graph: scaled(2 ** 26, 2) });
  const refusal = () => {
    try {
      backend.compile({ graph: scaled(2 ** 29, 2) });
    } catch (error) {
      if (error instanceof OutOfMemory) return error;
    }
    throw new Error("4 GiB and more were given");
  };
  const before = refusal().available;
  holding.dispose();
  assert.ok(refusal().available - before >= 2 ** 28);
});

Deno.test("a profile is a run: the same results, and a time for every kernel call", pooled, async () => {
  for (const threads of [1, 3]) {
    const session = (await backendFor({ threads, guard: true })).compile({ graph: scaled(50_000, 2, 4) });
    for (let run = 0; run < 3; run++) {
      session.write("graph", "x", new Float32Array(50_000).fill(run));
      const times = await session.profile("graph");
      assert.deepEqual(times.map(({ kernel }) => kernel), ["scale", "scale", "scale", "scale"]);
      for (const { milliseconds, waiting, node } of times) {
        assert.ok(waiting >= 0 && waiting <= milliseconds, `${waiting} of ${milliseconds}`);
        assert.ok(milliseconds > 0 && milliseconds < 1000);
        assert.equal(node.op, "scale");
      }
      assert.ok((await session.read("graph", "y")).every((number) => number === 16 * run));
      // Tickets are back in place: a run after a profile does all the work again.
      session.write("graph", "x", new Float32Array(50_000).fill(-run));
      await session.run("graph");
      assert.ok((await session.read("graph", "y")).every((number) => number === -16 * run));
    }
    session.dispose();
  }
});
