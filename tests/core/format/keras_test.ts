import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../core/errors.ts";
import { parseStateDict } from "../../../core/format/read_state_dict.ts";
import { matchStateDict } from "../../../core/nn/match_state_dict.ts";
import * as nn from "../../../core/nn/mod.ts";
import { assertClose } from "../../support/close.ts";
import { logitsOf } from "../../support/logits.ts";

/** Files that Keras wrote, see make.py beside them. */
const folder = new URL("../../fixtures/keras/", import.meta.url);
const fixture = (name: string) => Deno.readFileSync(new URL(name, folder));

const BATCH_NORM = { eps: 1e-3 };

/** The network of the files, under its own names or other ones. */
function net(names: { conv: string; norm: string; fc: string }): nn.Module {
  return new nn.Sequential({
    [names.conv]: new nn.Conv2d(2, 3, 3, { stride: 2, padding: "same" }),
    relu: new nn.ReLU(),
    [names.norm]: new nn.BatchNorm2d(3, BATCH_NORM),
    flatten: new nn.Flatten(),
    [names.fc]: new nn.Linear(2 * 2 * 3, 5),
  });
}

Deno.test({
  name: "keras: a network gives Keras's own results, from each kind of its files, by names and by order",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { x, y } = JSON.parse(Deno.readTextFileSync(new URL("expected.json", folder)));
    for (const name of ["net.h5", "net.weights.h5", "net.keras"]) {
      const dict = await parseStateDict(fixture(name), name);
      for (
        const names of [{ conv: "stem", norm: "norm", fc: "head" }, { conv: "conv1", norm: "bn1", fc: "fc" }]
      ) {
        const model = net(names);
        assertClose(await logitsOf(model, matchStateDict(model, dict), [2, 2, 4, 3], x), y, 1e-5, name);
      }
    }
  },
});

Deno.test("keras: a file that is cut is refused with one line", async () => {
  for (const name of ["net.h5", "net.keras"]) {
    const bytes = fixture(name);
    for (let length = 8; length < bytes.length; length += 8999) {
      await assert.rejects(parseStateDict(bytes.subarray(0, length), "w.h5"), (error: Error) => {
        assert.ok(error instanceof UserError, String(error.stack));
        assert.match(error.message, /^w\.h5: [^\n]+$/);
        return true;
      });
    }
  }
});

Deno.test("keras: a mutated file is read or refused with one line", async () => {
  const bytes = fixture("net.h5");
  const place = fc.nat({ max: bytes.length - 1 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 8 }),
      async (changes) => {
        const mutated = bytes.slice();
        for (const [at, value] of changes) mutated[at] = value;
        try {
          await parseStateDict(mutated, "w.h5");
        } catch (error) {
          assert.ok(error instanceof UserError, String((error as Error).stack));
          assert.match(error.message, /^w\.h5: [^\n]+$/);
        }
      },
    ),
    { numRuns: 5 },
  );
});
