/** The library's entry: its own example. */
import assert from "node:assert/strict";

const ENTRY = new URL("../../core/mod.ts", import.meta.url);

const decoder = new TextDecoder();

async function deno(...args: string[]): Promise<string> {
  const env = { NO_COLOR: "1" };
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env }).output();
  assert.equal(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout);
}

Deno.test("the examples in core/mod.ts type-check and run", async () => {
  const text = await Deno.readTextFile(ENTRY);
  const folder = await Deno.makeTempDir();
  try {
    const common = ["--config", new URL("../../deno.json", import.meta.url).pathname, "--no-lock"];
    const files = await Promise.all(
      text.split("```ts").slice(1).map(async (part, i) => {
        const example = part.split("```")[0]!.replaceAll(/^ \* ?/gm, "");
        await Deno.writeTextFile(`${folder}/${i}.ts`, example.replace("./core/mod.ts", ENTRY.href));
        return `${folder}/${i}.ts`;
      }),
    );
    await deno("check", ...common, ...files);
    const [training, detecting] = await Promise.all(
      files.map(async (file) => (await deno("run", "--no-check", ...common, "-A", file)).trim().split("\n")),
    );
    const accuracies = training!.map(Number);
    assert.equal(accuracies.length, 2);
    assert.ok(accuracies[1]! > 0.5, `better than chance, not ${accuracies}`);
    assert.match(detecting![0]!, /^Class +Objects +Detections +AP /);
    // Its weights are 0.
    assert.equal(detecting!.at(-1), "mAP@0.5: 0.00 % (by 11 points 0.00 %)");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
