import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../core/errors.ts";
import { parseStateDict } from "../../../core/format/read_state_dict.ts";
import { findTensors } from "../../../core/format/torch_checkpoint.ts";
import { TorchTensor } from "../../../core/format/torch_pickle.ts";

/** Files that PyTorch wrote, see make.py beside them. */
const folder = new URL("../../fixtures/torch/", import.meta.url);
const fixture = (name: string) => Deno.readFileSync(new URL(name, folder));
const expected: Record<string, { shape: number[]; data: number[] }> = JSON.parse(
  Deno.readTextFileSync(new URL("expected.json", folder)),
);

async function rejects(bytes: Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(parseStateDict(bytes, "w.pth"), (error: Error) => {
    assert.ok(error instanceof UserError, String(error.stack));
    assert.match(error.message, /^w\.pth: [^\n]+$/);
    assert.match(error.message, message);
    return true;
  });
}

for (
  const name of [
    "zip",
    "zip_old",
    "legacy",
    "legacy_old",
    "checkpoint",
    "checkpoint_old",
    "checkpoint_legacy",
    "checkpoint_legacy_old",
    "protocol_4",
    "training_script_old",
    "training_script_legacy_old",
  ]
) {
  Deno.test(`torch: ${name}.pth holds what PyTorch put there, whatever types, strides and wrappers`, async () => {
    const dict = await parseStateDict(fixture(`${name}.pth`), name);
    assert.deepEqual([...dict.keys()], Object.keys(expected));
    for (const [name, { shape, data }] of Object.entries(expected)) {
      const found = dict.get(name)!;
      assert.deepEqual(found.shape, shape, name);
      const isFloat = found.data instanceof Float32Array;
      assert.deepEqual(Array.from(found.data, Number), isFloat ? data.map(Math.fround) : data, name);
    }
    assert.deepEqual(
      ["half", "bfloat16", "double", "num_batches_tracked", "bool"].map((name) => dict.get(name)!.dtype),
      ["F16", "BF16", "F64", "I64", "BOOL"],
    );
  });
}

Deno.test("torch: tensors of a file are views of it, not copies", async () => {
  const dict = await parseStateDict(fixture("zip.pth"), "zip");
  assert.equal(dict.get("plain")!.data.buffer, dict.get("part")!.data.buffer);
});

Deno.test("torch: wrappers within each other leave nothing of their prefixes", () => {
  const tensor = new TorchTensor({ key: "0", dtype: "F32", count: 1 }, 0, [1], [1]);
  for (const wrapped of ["w", "module.w", "_orig_mod.w", "module._orig_mod.w", "_orig_mod.module.w"]) {
    assert.deepEqual([...findTensors(new Map([[wrapped, tensor]])).keys()], ["w"]);
  }
});

Deno.test("torch: a tensor may repeat the numbers of its storage", async () => {
  const dict = await parseStateDict(fixture("repeated_old.pth"), "repeated");
  const { shape, data } = dict.get("repeated")!;
  assert.deepEqual([shape, ...data], [[2, 3], 1, 1, 1, 2, 2, 2]);
});

Deno.test("torch: what is not weights has a line that says so", async () => {
  await rejects(
    fixture("whole_model.pth"),
    /names __main__\.Net, which is not allowed here; save its weights alone: torch\.save\(model\.state_dict\(\), FILE\)$/,
  );
  await rejects(fixture("big_endian.pth"), /big-endian/);
  await rejects(fixture("script.pth"), /TorchScript/);
  await rejects(fixture("two.pth"), /several state_dicts \(a, b\)/);
  await rejects(new Uint8Array(), /empty/);
  await rejects(new TextEncoder().encode("weights"), /no weights of a format that is known/);
});

Deno.test("torch: a file that is cut anywhere is refused", async () => {
  for (const name of ["legacy.pth", "zip.pth"]) {
    const bytes = fixture(name);
    for (let length = 0; length < bytes.length; length += length < 64 ? 1 : 41) {
      await rejects(bytes.subarray(0, length), /./);
    }
  }
});

Deno.test("torch: a mutated file is read or refused with one line", async () => {
  for (const name of ["checkpoint_legacy.pth", "zip.pth"]) {
    const bytes = fixture(name);
    const place = fc.nat({ max: bytes.length - 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const mutated = bytes.slice();
          for (const [at, value] of changes) mutated[at] = value;
          try {
            await parseStateDict(mutated, "w.pth");
          } catch (error) {
            assert.ok(error instanceof UserError, String((error as Error).stack));
            assert.match(error.message, /^w\.pth: [^\n]+$/);
          }
        },
      ),
      { numRuns: 400 },
    );
  }
});

Deno.test("torch: names from a file are shown on one line, without what a terminal would obey", async () => {
  const bytes = fixture("legacy.pth");
  const at = new TextDecoder("latin1").decode(bytes).indexOf("collections");
  bytes[at] = 0x1b;
  await rejects(bytes, /names \\x1bollections\.OrderedDict/);
});
