import assert from "node:assert/strict";
import fc from "fast-check";
import { parseStateDict } from "../../../core/format/read_state_dict.ts";
import {
  readSafetensors,
  type SafeTensor,
  safetensorsParts,
  writeSafetensors,
} from "../../../core/format/safetensors.ts";
import { UserError } from "../../../core/errors.ts";
import { sizeOf } from "../../../core/shape.ts";

/** Written by the reference library, version 0.4 or later. */
const REFERENCE =
  "YAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJieSI6InRoZSByZWZlcmVuY2UgbGlicmFyeSJ9LCJzdGVwcyI6eyJkdHlwZSI6Ikk2NCIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMCw4XX0sImVtcHR5Ijp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlswLDRdLCJkYXRhX29mZnNldHMiOls4LDhdfSwibGF5ZXIuMC53ZWlnaHQiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzgsMzJdfSwiaWRzIjp7ImR0eXBlIjoiSTMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMzIsNDBdfSwibWFzayI6eyJkdHlwZSI6IlU4Iiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbNDAsNDNdfX0gICAgICAgAAAAAAABAAAAAAAAAAAAPwAAgD8AAMA/AAAAQAAAIED/////BwAAAAEC/w==";

/** Types that it writes and Strata does not: half, bf, double, short, char, bool, long. */
const REFERENCE_TYPES =
  "mAEAAAAAAAB7ImxvbmciOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzAsOF19LCJkb3VibGUiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls4LDI0XX0sImJmIjp7ImR0eXBlIjoiQkYxNiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzI0LDMwXX0sImhhbGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlszMCwzNl19LCJzaG9ydCI6eyJkdHlwZSI6IkkxNiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzM2LDQwXX0sImNoYXIiOnsiZHR5cGUiOiJJOCIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzQwLDQxXX0sImJvb2wiOnsiZHR5cGUiOiJCT09MIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbNDEsNDNdfX0gICAAAAAAAAEAAJqZmZmZmbk/nHUAiDzkN37AP0nASnEAPgDAAQDU/iwB/wEA";

/** A file with this header and so many bytes of data. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function rejects(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => readSafetensors(bytes, "w.safetensors"), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^w\.safetensors: [^\n]+$/);
    assert.match(error.message, message);
    return true;
  });
}

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const floats = { noNaN: false };
const tensor: fc.Arbitrary<SafeTensor> = shape.chain((shape) => {
  const size = { minLength: sizeOf(shape), maxLength: sizeOf(shape) };
  return fc.oneof(
    fc.float64Array({ ...floats, ...size }).map((data) => ({ dtype: "F64" as const, shape, data })),
    fc.float32Array({ ...floats, ...size }).map((data) => ({ dtype: "F32" as const, shape, data })),
    fc.bigInt64Array(size).map((data) => ({ dtype: "I64" as const, shape, data })),
    fc.int32Array(size).map((data) => ({ dtype: "I32" as const, shape, data })),
    fc.uint8Array(size).map((data) => ({ dtype: "U8" as const, shape, data })),
  );
});

Deno.test("safetensors: what is written is read, at any alignment in memory", () => {
  const name = fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__");
  fc.assert(fc.property(
    fc.uniqueArray(fc.tuple(name, tensor), { selector: ([name]) => name, maxLength: 6 }),
    fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
    fc.integer({ min: 0, max: 9 }),
    (tensors, metadata, shift) => {
      const bytes = writeSafetensors(tensors, metadata);
      const moved = new Uint8Array(bytes.length + shift).subarray(shift);
      moved.set(bytes);
      const read = readSafetensors(moved);
      assert.deepEqual({ ...read.metadata }, { ...metadata });
      assert.deepEqual(read.tensors, new Map(tensors));
    },
  ));
});

Deno.test("safetensors: tensors are aligned in the file, and read without a copy", () => {
  const bytes = writeSafetensors([
    ["a", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
    ["b", { dtype: "F32", shape: [2], data: Float32Array.of(4, 5) }],
    ["c", { dtype: "I64", shape: [], data: BigInt64Array.of(6n) }],
  ]);
  for (const { data } of readSafetensors(bytes).tensors.values()) assert.equal(data.buffer, bytes.buffer);
});

Deno.test("safetensors: parts are views of the tensors' own memory", () => {
  const data = Float32Array.of(1, 2, 3).subarray(1);
  const [, part] = safetensorsParts([["x", { dtype: "F32", shape: [2], data }]]);
  assert.equal(part!.buffer, data.buffer);
  assert.equal(part!.byteOffset, 4);
  assert.equal(part!.byteLength, 8);
});

Deno.test("safetensors: reads a file of the reference library", () => {
  const { metadata, tensors } = readSafetensors(Uint8Array.fromBase64(REFERENCE));
  assert.deepEqual({ ...metadata }, { by: "the reference library" });
  assert.deepEqual(
    tensors,
    new Map<string, SafeTensor>([
      ["empty", { dtype: "F64", shape: [0, 4], data: new Float64Array() }],
      ["steps", { dtype: "I64", shape: [], data: BigInt64Array.of(1n << 40n) }],
      ["layer.0.weight", { dtype: "F32", shape: [2, 3], data: Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5) }],
      ["ids", { dtype: "I32", shape: [2], data: Int32Array.of(-1, 7) }],
      ["mask", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 255) }],
    ]),
  );
});

Deno.test("safetensors: as weights, floats of all kinds are f32 and whole numbers exact", async () => {
  const dict = await parseStateDict(Uint8Array.fromBase64(REFERENCE_TYPES), "w.safetensors");
  const numbers = Object.fromEntries([...dict].map(([name, { dtype, data }]) => [name, [dtype, ...data]]));
  assert.deepEqual(numbers, {
    half: ["F16", 1.5, -2, 5.960464477539063e-8],
    bf: ["BF16", 1.5, -3.140625, 1.0002555517425873e30],
    double: ["F64", Math.fround(0.1), Infinity],
    short: ["I16", -300, 300],
    char: ["I8", -1],
    bool: ["BOOL", 1, 0],
    long: ["I64", 1n << 40n],
  });
});

Deno.test("safetensors: a checkpoint's weights come without its optimiser's states", async () => {
  const x = { dtype: "F32", shape: [1], data: Float32Array.of(1) } as const;
  const bytes = writeSafetensors([["w", x], ["optimizer.w.momentum", x]], { "strata.format": "1" });
  assert.deepEqual([...(await parseStateDict(bytes, "last.safetensors")).keys()], ["w"]);
});

Deno.test("safetensors: a moving average has its own type and shape, whatever the file says beside it", async () => {
  const bytes = writeSafetensors([
    ["w", { dtype: "F32", shape: [3], data: Float32Array.of(1, 2, 3) }],
    ["ema.w", { dtype: "F64", shape: [2], data: Float64Array.of(0.5, 0.25) }],
  ], { "strata.format": "1" });
  const w = (await parseStateDict(bytes, "last.safetensors")).get("w")!;
  assert.deepEqual(w, { dtype: "F64", shape: [2], data: Float32Array.of(0.5, 0.25) });
});

Deno.test("safetensors: names and metadata may have megabytes", () => {
  const long = 'x"'.repeat(2 ** 23);
  const x = { dtype: "U8", shape: [1], data: Uint8Array.of(1) } as const;
  const { metadata, tensors } = readSafetensors(writeSafetensors([[long, x]], { long }));
  assert.ok(metadata.long === long && tensors.has(long));
});

Deno.test("safetensors: a file that is cut anywhere is refused", () => {
  const bytes = Uint8Array.fromBase64(REFERENCE);
  for (let length = 0; length < bytes.length; length++) rejects(bytes.subarray(0, length), /truncated/);
});

Deno.test("safetensors: each thing that can be wrong has its line", () => {
  const info = (begin: number, end: number) => ({
    dtype: "U8",
    shape: [end - begin],
    data_offsets: [begin, end],
  });
  rejects(fileOf("{,}"), /not valid JSON/);
  rejects(fileOf("[]"), /not a JSON object/);
  rejects(
    Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 123, 125),
    /length is given as 18446744073709551615/,
  );
  rejects(fileOf({ __metadata__: { a: 1 } }), /__metadata__ must map names to strings/);
  rejects(fileOf({ a: 3 }), /"a" is described by 3/);
  rejects(fileOf({ a: { ...info(0, 1), dtype: "F8" } }, 1), /"a" has dtype "F8", readable are F64/);
  rejects(fileOf({ a: { ...info(0, 1), dtype: "toString" } }, 1), /"a" has dtype "toString"/);
  rejects(fileOf({ a: { ...info(0, 1), shape: [-1] } }, 1), /"a" has shape \[-1\]/);
  rejects(fileOf({ a: { ...info(0, 1), shape: [0.5] } }, 1), /"a" has shape \[0.5\]/);
  rejects(fileOf({ a: { ...info(0, 1), shape: 1 } }, 1), /"a" has shape 1/);
  rejects(fileOf({ a: { ...info(0, 1), data_offsets: [1] } }, 1), /"a" has data_offsets \[1\]/);
  rejects(fileOf({ a: { ...info(0, 1), data_offsets: [1, 0] } }, 1), /"a" has data_offsets \[1,0\]/);
  rejects(fileOf({ a: { ...info(0, 4), shape: [3] } }, 4), /"a" has 4 bytes, expected 3 for U8 \[3\]/);
  rejects(fileOf({ a: { ...info(0, 8), shape: [2 ** 31, 2 ** 31, 4] } }, 8), /"a" has 8 bytes/);
  rejects(fileOf({ a: info(0, 5) }, 4), /"a" ends at byte 5 of the data, which has 4; the file is truncated/);
  rejects(fileOf({ a: info(0, 2), b: info(3, 4) }, 4), /"b" starts at byte 3 of the data, expected 2/);
  rejects(fileOf({ a: info(0, 2), b: info(1, 4) }, 4), /"b" starts at byte 1 of the data, expected 2/);
  rejects(fileOf({ a: info(0, 2) }, 3), /1 bytes follow the last tensor/);
  rejects(
    fileOf(`{"a":${JSON.stringify(info(0, 2))},"\\u0061":${JSON.stringify(info(2, 4))}}`, 4),
    /"a" twice/,
  );
  rejects(fileOf(`{"__metadata__":{"\\"a" :"{","b":"a\\\\","\\"a":"}"}}`), /""a" twice/);
  rejects(fileOf(`{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), /"dtype" twice/);
});

Deno.test("safetensors: a tensor that contradicts itself is not written", () => {
  const data = Float32Array.of(1, 2);
  assert.throws(() => writeSafetensors([["x", { dtype: "F32", shape: [3], data }]]), /"x" has 2 numbers/);
  const x = ["x", { dtype: "F32", shape: [2], data }] as const;
  assert.throws(() => writeSafetensors([x, x]), /"x" is taken/);
});
