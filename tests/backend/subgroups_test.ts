/** Sums within subgroups, in a browser beside the CPU's: its adapter in software has subgroups (of 4), which Mesa's has not. */
import type { AttrsOf, OpName } from "../../core/ops/mod.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { bundleForBrowser } from "../../host/browser_bundle.ts";
import { wantsWebgpu } from "../support/on_backends.ts";
import { inBrowser, withBrowser } from "../support/browser.ts";
import { assertClose } from "../support/close.ts";
import { runOp } from "../support/run_op.ts";

interface Case {
  readonly op: OpName;
  readonly inputs: readonly Shape[];
  readonly attrs: unknown;
}

function caseOf<K extends OpName>(op: K, inputs: readonly Shape[], attrs: AttrsOf<K>): Case {
  return { op, inputs, attrs };
}

/** By fours of channels and one by one; rows and blocks of rows that do not come out even. */
const CASES: readonly Case[] = [
  caseOf("sum_channels", [[3, 33, 13, 11]], {}),
  caseOf("batch_norm", [[3, 36, 13, 11], [36], [36], [36], [36]], {
    training: true,
    momentum: 0.1,
    eps: 1e-5,
  }),
  caseOf("softmax", [[3, 3300]], { dim: 1 }),
];

/** Between 0.5 and 1.5, so that variances are ones; the page makes the same. */
const numbers = (shape: Shape, i: number) =>
  Float32Array.from({ length: sizeOf(shape) }, (_, j) => 1 + Math.sin(7 * j + i) / 2);

if (wantsWebgpu) {
  Deno.test({
    name: "sums within subgroups are right to rounding",
    ...inBrowser("sums within subgroups"),
    async fn() {
      const files = await bundleForBrowser(["core/backend/webgpu/backend.ts", "core/graph/builder.ts"]);
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
        const { type = "text/html", body = "<!DOCTYPE html>" } = files.get(new URL(request.url).pathname) ??
          {};
        return new Response(body as BodyInit, { headers: { "content-type": type } });
      });
      await withBrowser(async (browser) => {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${server.addr.port}/`);
        const found = await page.evaluate(runCases, CASES);
        if (!found) return console.log("Skipped: this browser's adapter has no subgroups");
        for (const [i, { op, inputs, attrs }] of CASES.entries()) {
          const given = inputs.map((shape, i) => ({ shape, data: numbers(shape, i) }));
          const expected = await runOp(op, given, attrs as AttrsOf<typeof op>, { threads: 2 });
          found[i]!.forEach((data, output) => {
            const what = `output ${output} of ${op}`;
            assertClose(data, expected[output]!, { absolute: 1e-5, relative: 1e-5 }, what);
          });
        }
      }, true);
      await server.shutdown();
    },
  });
}

/** In the page: each case's outputs; undefined where the adapter has no subgroups. */
async function runCases(cases: readonly Case[]): Promise<number[][][] | undefined> {
  const load = (path: string) => import(path);
  const { createWebgpuBackend } = await load("/core/backend/webgpu/backend.ts");
  const { GraphBuilder } = await load("/core/graph/builder.ts");
  const backend = await createWebgpuBackend();
  if (backend.abilities.subgroups === undefined) return undefined;
  const results: number[][][] = [];
  for (const { op, inputs, attrs } of cases) {
    const builder = new GraphBuilder();
    const values = inputs.map((shape, i) => builder.state(`x${i}`, { shape, dtype: "f32" }));
    const outputs: unknown[] = builder.emit(op, values, attrs);
    outputs.forEach((value, i) => builder.output(`y${i}`, value));
    const session = backend.compile({ graph: builder.finish() });
    inputs.forEach((shape, i) => {
      const length = shape.reduce((product, extent) => product * extent, 1);
      session.writeState(`x${i}`, Float32Array.from({ length }, (_, j) => 1 + Math.sin(7 * j + i) / 2));
    });
    await session.run("graph");
    results.push(await Promise.all(outputs.map(async (_, i) => [...await session.read("graph", `y${i}`)])));
    session.dispose();
  }
  backend.close();
  return results;
}
