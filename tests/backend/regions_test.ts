import assert from "node:assert/strict";
import { createRegions } from "../../core/backend/wasm/regions.ts";

const PAGE = 65536;

/** A memory that only counts, of one page, which the system lets grow to `most` pages. */
function memoryUpTo(most: number) {
  const buffer = { byteLength: PAGE };
  return {
    buffer,
    grow(pages: number): number {
      if (buffer.byteLength + pages * PAGE > most * PAGE) throw new RangeError("failed to grow");
      buffer.byteLength += pages * PAGE;
      return 0;
    },
  };
}

Deno.test("regions fill gaps first, and tell the largest one that is left", () => {
  const regions = createRegions(memoryUpTo(65536));
  const all = 65534 * PAGE; // Without the control block's page and the last one.
  assert.equal(regions.available(), all);
  const [a, b] = [regions.allocate(100)!, regions.allocate(1000)!];
  assert.deepEqual([a, b], [PAGE, PAGE + 128]);
  regions.free(a);
  assert.equal(regions.available(), all - 128 - 1024);
  assert.equal(regions.allocate(64), a);
  regions.free(b);
  assert.equal(regions.available(), all - 64);
});

Deno.test("no region ends where a 32-bit address would wrap to 0", () => {
  const regions = createRegions(memoryUpTo(65536));
  assert.equal(regions.allocate(65535 * PAGE), undefined);
  assert.equal(regions.allocate(65534 * PAGE + 1), undefined);
  const start = regions.allocate(65534 * PAGE)!;
  assert.equal(start, PAGE);
  assert.ok(start + 65534 * PAGE < 2 ** 32);
});

Deno.test("where the system refuses memory, what can really be had is known and can be had", () => {
  for (const most of [1, 2, 7, 1000, 65535]) {
    const regions = createRegions(memoryUpTo(most));
    assert.equal(regions.allocate(65534 * PAGE), most === 65535 ? PAGE : undefined);
    if (most === 65535) continue;
    assert.equal(regions.available(), (most - 1) * PAGE);
    if (most > 1) assert.equal(regions.allocate((most - 1) * PAGE), PAGE);
  }
});
