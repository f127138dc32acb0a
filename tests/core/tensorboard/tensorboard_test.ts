import assert from "node:assert/strict";
import { summaryEvent, versionEvent } from "../../../core/tensorboard/event.ts";
import { histogramOf } from "../../../core/tensorboard/histogram.ts";
import { crc32c, frame } from "../../../core/tensorboard/record.ts";

const hex = (bytes: Uint8Array) => bytes.toHex();

Deno.test("CRC-32C as RFC 3720 has it", () => {
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
});

// The expected bytes were written by TensorBoard 2.21's own EventFileWriter.
Deno.test("a record and an event have TensorBoard's bytes", () => {
  assert.equal(
    hex(frame(versionEvent(1))),
    "1800000000000000" + "a37f4b22" + "09000000000000f03f1a0d627261696e2e4576656e743a32" + "86bf577a",
  );
  const event = summaryEvent({ scalars: { "test/loss": 0.5 } }, 7, 2);
  assert.equal(
    hex(event),
    "090000000000000040" + "1007" + "2a12" + "0a10" + "0a09746573742f6c6f7373" + "150000003f",
  );
});

// Written by TensorBoard 2.21's own messages.
Deno.test("a picture and a histogram have TensorBoard's bytes", () => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
  assert.equal(
    hex(summaryEvent({ pictures: { "test/answers": { width: 3, height: 2, png } } }, 7, 2)),
    "090000000000000040" + "1007" + "2a1e" + "0a1c" + "0a0c746573742f616e7377657273" +
      "220c08021003180322048950" + "4e47",
  );
  const spread = { min: -1, max: 3, count: 3, sum: 2.5, sumOfSquares: 10.25, limits: [1, 3], counts: [2, 1] };
  assert.equal(
    hex(summaryEvent({ histograms: new Map([["fc.weight", spread]]) }, 7, 2)),
    "090000000000000040" + "1007" + "2a60" + "0a5e" + "0a0966632e776569676874" + "2a51" +
      "09000000000000f0bf" + "110000000000000840" + "190000000000000840" + "210000000000000440" +
      "290000000000802440" + "3210000000000000f03f0000000000000840" + "3a100000000000000040000000000000f03f",
  );
});

Deno.test("a histogram counts every number once, in order", () => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 3);
  const { counts, limits, count, sum, sumOfSquares, min, max } = histogramOf(values);
  assert.equal(counts.reduce((a, b) => a + b, 0), 1000);
  assert.equal(count, 1000);
  assert.ok(limits.every((limit, i) => i === 0 || limit > limits[i - 1]!));
  assert.equal(limits.at(-1), max);
  assert.equal(min, Math.min(...values));
  const first = values.filter((value) => value < limits[0]!).length;
  assert.ok(Math.abs(counts[0]! - first) <= 1);
  assert.ok(Math.abs(sum - values.reduce((a, b) => a + b, 0)) < 1e-9);
  assert.ok(sumOfSquares > 4000 && sumOfSquares < 5000);
  assert.deepEqual(histogramOf(new Float32Array([2, 2])).counts, [0, 2]);
});
