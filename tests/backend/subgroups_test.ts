/**
 * Sums within subgroups beside those through the workgroup's memory, in a browser: its adapter in software has subgroups (of 4),
 * which Mesa's has not.
 */
import assert from "node:assert/strict";
import type { AttrsOf, OpName } from "../../core/ops/mod.ts";
import type { Shape } from "../../core/shape.ts";
import { bundleForBrowser } from "../../host/browser_bundle.ts";
import { inBrowser, withBrowser } from "../support/browser.ts";
import { assertClose } from "../support/close.ts";

interface Case {
  readonly op: string;
  readonly inputs: readonly Shape[];
  readonly attrs: unknown;
}

function caseOf<K extends OpName>(op: K, inputs: readonly Shape[], attrs: AttrsOf<K>): Case {
  return { op, inputs, attrs };
}

const NORM = { training: true, momentum: 0.1, eps: 1e-5 };

/** By fours of channels and one by one; rows and blocks of rows that do not come out even. */
const CASES: readonly Case[] = [33, 36].flatMap((channels) => {
  const x = [3, channels, 13, 11], each = [channels];
  return [
    caseOf("sum_channels", [x], {}),
    caseOf("batch_norm", [x, each, each, each, each], NORM),
    caseOf("batch_norm_grad", [x, x, each, each, each], { training: true }),
    caseOf("softmax", [[3, 100 * channels]], { dim: 1 }),
  ];
});

Deno.test({
  name: "sums within subgroups are those through memory, to rounding",
  ...inBrowser("sums within subgroups"),
  async fn() {
    const files = await bundleForBrowser(["core/backend/webgpu/backend.ts", "core/graph/builder.ts"]);
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { type = "text/html", body = "<!DOCTYPE html>" } = files.get(new URL(request.url).pathname) ?? {};
      return new Response(body as BodyInit, { headers: { "content-type": type } });
    });
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${server.addr.port}/`);
      const plain = await page.evaluate(runCases, [CASES, false] as const);
      const own = await page.evaluate(runCases, [CASES, true] as const);
      if (!own.subgroups) return console.log("Skipped: this browser's adapter has no subgroups");
      assert.ok(!plain.subgroups);
      CASES.forEach(({ op, inputs }, i) => {
        own.results[i]!.forEach((data, output) => {
          const what = `output ${output} of ${op} on ${inputs[0]}`;
          assertClose(data, plain.results[i]![output]!, { absolute: 1e-5, relative: 1e-5 }, what);
        });
      });
    }, true);
    await server.shutdown();
  },
});

/** In the page: each case's outputs, with the adapter's subgroups or without. */
async function runCases([cases, subgroups]: readonly [readonly Case[], boolean]) {
  const load = (path: string) => import(path);
  const { createWebgpuBackend } = await load("/core/backend/webgpu/backend.ts");
  const { GraphBuilder } = await load("/core/graph/builder.ts");
  const backend = await createWebgpuBackend(subgroups ? {} : { abilities: { subgroups: undefined } });
  const results: number[][][] = [];
  for (const { op, inputs, attrs } of cases) {
    const builder = new GraphBuilder();
    const values = inputs.map((shape, i) => builder.state(`x${i}`, { shape, dtype: "f32" }));
    const outputs: unknown[] = builder.emit(op, values, attrs);
    outputs.forEach((value, i) => builder.output(`y${i}`, value));
    const session = backend.compile({ graph: builder.finish() });
    inputs.forEach((shape, i) => {
      const count = shape.reduce((product, extent) => product * extent, 1);
      // Between 0.5 and 1.5, so that variances are ones.
      session.writeState(
        `x${i}`,
        Float32Array.from({ length: count }, (_, j) => 1 + Math.sin(7 * j + i) / 2),
      );
    });
    await session.run("graph");
    results.push(await Promise.all(outputs.map(async (_, i) => [...await session.read("graph", `y${i}`)])));
    session.dispose();
  }
  const used: boolean = backend.abilities.subgroups !== undefined;
  backend.close();
  return { results, subgroups: used };
}
