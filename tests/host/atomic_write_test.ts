import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { writeAtomically } from "../../host/atomic_write.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

Deno.test("writeAtomically: new and replaced files, in parts, from shared memory too", () =>
  withFolder(async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    await writeAtomically(path, Uint8Array.of(1, 2, 3));
    assert.deepEqual([...await Deno.readFile(path)], [1, 2, 3]);

    const shared = new Uint8Array(new SharedArrayBuffer(5_000_000)).fill(7).subarray(1);
    await writeAtomically(path, [Uint8Array.of(9), new Uint8Array(), shared]);
    const bytes = await Deno.readFile(path);
    assert.equal(bytes.length, 5_000_000);
    assert.equal(bytes[0], 9);
    assert.ok(bytes.subarray(1).every((byte) => byte === 7));
    assert.deepEqual(namesIn(folder), ["checkpoint.safetensors"]);
  }));

Deno.test("writeAtomically: a failure while writing leaves the old file and nothing else", () =>
  withFolder(async (folder) => {
    const path = join(folder, "log.csv");
    await writeAtomically(path, Uint8Array.of(1, 2, 3));
    const unwritable = [Uint8Array.of(4), "no bytes" as unknown as Uint8Array];
    await assert.rejects(writeAtomically(path, unwritable), /log\.csv: cannot write this file/);
    assert.deepEqual([...await Deno.readFile(path)], [1, 2, 3]);
    assert.deepEqual(namesIn(folder), ["log.csv"]);
  }));

Deno.test("writeAtomically: a folder that cannot be written to has its line", () =>
  withFolder(async (folder) => {
    const missing = join(folder, "missing", "a.bin");
    await assert.rejects(writeAtomically(missing, Uint8Array.of(1)), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.equal(
        error.message,
        `${missing}: cannot write this file (No such file or directory); choose a folder that can be written to`,
      );
      return true;
    });
    const occupied = join(folder, "folder");
    await Deno.mkdir(join(occupied, "inside"), { recursive: true });
    await assert.rejects(writeAtomically(occupied, Uint8Array.of(1)), /cannot write this file/);
    assert.deepEqual(namesIn(folder), ["folder"]);
  }));
