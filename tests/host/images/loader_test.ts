import assert from "node:assert/strict";
import { permutation } from "../../../core/random.ts";
import { beginningOf, createLoader } from "../../../host/images/loader.ts";
import { defaultWorkers } from "../../../host/images/pool.ts";

Deno.test("loader: the first images of a run are begun early, of a resumed one those where it goes on", async () => {
  const paths = Array.from({ length: 100 }, (_, i) => `${i}.jpg`);
  for (const goesOnAt of [undefined, { epoch: 3, place: 48 }]) {
    const { seed, epoch, place } = beginningOf({ seed: 7, goesOnAt });
    const begun: string[] = [];
    const { load } = createLoader({
      paths,
      skip: undefined,
      beginsAt: { seed, epoch, place },
      begin(sample, at) {
        begun.push(`${sample} of epoch ${at!.epoch}`);
        return Promise.resolve(Uint8Array.of(sample));
      },
    });
    const order = permutation(100, 7, goesOnAt?.epoch ?? 0);
    const next = order.slice(goesOnAt?.place ?? 0).slice(0, 40);
    assert.deepEqual(begun, [...next.slice(0, 32)].map((sample) => `${sample} of epoch ${epoch}`));
    for (const sample of next) assert.deepEqual(await load(sample, { seed, epoch }), Uint8Array.of(sample));
    assert.equal(begun.length, 40, "none is begun twice");
  }
});

Deno.test("pool: a quarter of the threads decodes, where a GPU computes all but one", () => {
  const workers = (device: "cpu" | "webgpu") =>
    [1, 2, 8, 16, 100].map((threads) => defaultWorkers(device, threads));
  assert.deepEqual(workers("cpu"), [1, 1, 2, 4, 25]);
  assert.deepEqual(workers("webgpu"), [1, 1, 7, 15, 64]);
});
