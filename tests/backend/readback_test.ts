/** Numbers on their way back from the GPU: right whenever they are asked for, in few trips. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { WebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { createFetch } from "../../core/backend/webgpu/fetch.ts";
import { createResults } from "../../core/backend/webgpu/results.ts";
import { onWebgpu } from "../support/on_backends.ts";
import { backendFor } from "../support/run_op.ts";

const WORDS = 256;

/** A buffer of words, how to write them, and how often buffers were mapped while `body` ran. */
async function withBuffer(body: (device: GPUDevice, buffer: GPUBuffer) => Promise<void>): Promise<number> {
  const { gpu: { device } } = await backendFor("webgpu") as WebgpuBackend;
  const { COPY_SRC, COPY_DST } = GPUBufferUsage;
  const buffer = device.createBuffer({ size: 4 * WORDS, usage: COPY_SRC | COPY_DST });
  const { mapAsync } = GPUBuffer.prototype;
  let maps = 0;
  GPUBuffer.prototype.mapAsync = function (...args) {
    maps++;
    return mapAsync.apply(this, args);
  };
  try {
    await body(device, buffer);
  } finally {
    GPUBuffer.prototype.mapAsync = mapAsync;
    buffer.destroy();
  }
  return maps;
}

onWebgpu(
  "small results are those of their run, read at once or runs later, and mapped once for many",
  async () => {
    const ages = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 30, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(ages, async (ages) => {
        await withBuffer(async (device, buffer) => {
          const results = createResults(device, [
            { buffer, offset: 0, size: 4 },
            { buffer, offset: 64, size: 8 },
          ]);
          const unread = new Map<number, () => Promise<ArrayBuffer>>();
          for (const [run, age] of ages.entries()) {
            device.queue.writeBuffer(buffer, 0, Uint32Array.of(run));
            device.queue.writeBuffer(buffer, 64, Uint32Array.of(2 * run, 3 * run));
            const encoder = device.createCommandEncoder();
            unread.set(run, results.copy(encoder));
            device.queue.submit([encoder.finish()]);
            // Some before those that are older.
            const wanted = unread.get(run - age);
            if (!wanted) continue;
            unread.delete(run - age);
            assert.deepEqual([...new Uint32Array(await wanted())], [1, 2, 3].map((x) => x * (run - age)));
          }
          for (const [run, wanted] of unread) {
            assert.deepEqual([...new Uint32Array(await wanted())], [run, 2 * run, 3 * run]);
          }
          assert.ok(results.depth >= 2);
          results.destroy();
        });
      }),
      { numRuns: 3 },
    );
  },
);

onWebgpu("runs that nobody waits for are mapped together, more and more of them", async () => {
  const runs = 100;
  const maps = await withBuffer(async (device, buffer) => {
    const results = createResults(device, [{ buffer, offset: 0, size: 4 }]);
    const arriving: (() => Promise<ArrayBuffer>)[] = [];
    for (let run = 0; run < runs; run++) {
      device.queue.writeBuffer(buffer, 0, Uint32Array.of(run));
      const encoder = device.createCommandEncoder();
      arriving.push(results.copy(encoder));
      device.queue.submit([encoder.finish()]);
      // As the loop does: what is read has as many behind it as should be under way.
      const place = run + 1 - results.depth;
      if (place >= 0) assert.equal(new Uint32Array(await arriving[place]!())[0], place);
    }
    const all = await Promise.all(arriving.map(async (one) => new Uint32Array(await one())[0]));
    assert.deepEqual(all, Array.from({ length: runs }, (_, run) => run));
    results.destroy();
  });
  assert.ok(maps < runs / 4, `${maps} maps for ${runs} runs`);
});

onWebgpu("what is asked for at once comes together, in parts where it is large", async () => {
  const range = fc.tuple(fc.nat(WORDS - 1), fc.integer({ min: 1, max: WORDS })).map(([first, count]) => ({
    first,
    count: Math.min(count, WORDS - first),
  }));
  await fc.assert(
    fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 8 }), async (wishes) => {
      const trip = 128;
      const words = wishes.reduce((sum, { count }) => sum + count, 0);
      const maps = await withBuffer(async (device, buffer) => {
        device.queue.writeBuffer(buffer, 0, Uint32Array.from({ length: WORDS }, (_, i) => i));
        const fetch = createFetch(device, 4 * trip);
        const found = await Promise.all(
          wishes.map(({ first, count }) => fetch([{ buffer, offset: 4 * first, size: 4 * count }])),
        );
        found.forEach((bytes, i) => {
          const { first, count } = wishes[i]!;
          const expected = Array.from({ length: count }, (_, k) => first + k);
          assert.deepEqual([...new Uint32Array(bytes)], expected);
        });
      });
      assert.equal(maps, Math.ceil(words / trip));
    }),
    { numRuns: 10 },
  );
});
