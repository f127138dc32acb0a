import assert from "node:assert/strict";
import { relabel } from "../../../core/data/relabel.ts";
import { tinyData } from "../../support/tiny.ts";

Deno.test("relabel: classes are found by their names, in whatever order and among others", () => {
  const { test } = tinyData();
  assert.equal(relabel(test, ["dark", "bright"]), test);
  const other = relabel(test, ["grey", "bright", "dark"]);
  assert.deepEqual(other.classes, ["grey", "bright", "dark"]);
  assert.deepEqual([...other.labels.slice(0, 4)], [2, 1, 2, 1]);
});

Deno.test("relabel: a class that is not there, or twice, is an error", () => {
  const { test } = tinyData();
  assert.throws(
    () => relabel(test, ["dark", "light"]),
    /noise: bright is none of the 2 classes .*: dark, light$/,
  );
  assert.throws(() => relabel(test, ["bright", "dark", "bright"]), /bright is the name of more than one/);
});
