import assert from "node:assert/strict";
import { createEventFile } from "../../host/event_file.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

Deno.test("TensorBoard's files of a run are in the order of its parts, whatever the clock says", async () => {
  await withFolder(async (folder) => {
    // An earlier part, of a clock that was ahead.
    await Deno.writeTextFile(`${folder}/events.out.tfevents.4000000000.strata.ffffffff`, "");
    for (const step of [5, 9]) await createEventFile(folder, step).write(step, { scalars: { lr: 1 } });
    const seconds = namesIn(folder).map((name) => name.split(".")[3]);
    assert.deepEqual(seconds, ["4000000000", "4000000001", "4000000002"]);
  });
});
