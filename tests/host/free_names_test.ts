import assert from "node:assert/strict";
import { freeNames } from "../../host/free_names.ts";

Deno.test("each file gets a name of its own, capitals aside", () => {
  const nameFor = freeNames(["Photo.gradcam.png", "a.png"]);
  const files = ["x/photo.jpg", "x/a.jpg", "y/A.jpg", "a-2.jpg"];
  assert.deepEqual(
    files.map((file) => nameFor(file, ".gradcam.png")),
    ["photo-2.gradcam.png", "a.gradcam.png", "A-2.gradcam.png", "a-2-2.gradcam.png"],
  );
  assert.deepEqual([nameFor("b.tar.gz"), nameFor("B.tar")], ["b.tar", "B"]);
});
