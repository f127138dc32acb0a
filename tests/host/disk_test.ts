import assert from "node:assert/strict";
import { freeBytes } from "../../host/disk.ts";

Deno.test("nobody is asked for the permission to tell how full a disk is", async () => {
  assert.ok(await freeBytes(".") !== undefined);
  const { query } = Deno.permissions;
  const asked: unknown[] = [];
  Deno.permissions.query = (descriptor) => {
    asked.push(descriptor);
    return Promise.resolve({ state: "prompt" } as Deno.PermissionStatus);
  };
  try {
    assert.equal(await freeBytes("."), undefined);
  } finally {
    Deno.permissions.query = query;
  }
  assert.deepEqual(asked, [{ name: "sys", kind: "statfs" }]);
});
