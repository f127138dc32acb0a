/**
 * Some damaged copies of a file of each kind; with STRATA_FUZZ=1000 so many of each. `deno task fuzz` reads thousands of
 * any files, each file in a process of its own.
 */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { closeReaders, fuzz, mostBytes, mostMs, readers } from "./fuzz.ts";
import { fuzzFiles } from "./fuzz_files.ts";
import { withFolder } from "./temp_folder.ts";

const asked = Number(Deno.env.get("STRATA_FUZZ"));

/** libhdf5 may take seconds to give up, and zips take long to open. */
const countFor = (name: string) => asked || (/h5$|keras$/.test(name) ? 2 : /pth$/.test(name) ? 40 : 100);

/** Of these anything is one that may be. */
const ANYTHING = /^(log\.csv|obj\.names|data\.yaml)$/;

Deno.test("fuzz: damaged files are read or refused, whatever reads them", async () => {
  await withFolder(async (folder) => {
    for (const path of await fuzzFiles(folder)) {
      const name = basename(path), bytes = await Deno.readFile(path);
      const reader = readers.find(({ fits }) => fits.test(name))!;
      await withFolder(async (parent) => {
        const result = await fuzz(reader, { name, bytes, parent }, { count: countFor(name), seed: 1 });
        assert.deepEqual(result.faults, [], name);
        assert.ok(result.refused > 0 || ANYTHING.test(name), name);
        assert.ok(result.slowestMs <= mostMs(name), `${name}: a copy took ${result.slowestMs} ms`);
        assert.ok(
          (result.peakBytes ?? 0) <= mostBytes(bytes.length),
          `${name} took ${result.peakBytes} bytes`,
        );
      });
    }
  });
  closeReaders();
});
