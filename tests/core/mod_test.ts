/** The library's entry: its own example. */
import assert from "node:assert/strict";

const ENTRY = new URL("../../core/mod.ts", import.meta.url);

Deno.test("the example in core/mod.ts type-checks and trains", async () => {
  const text = await Deno.readTextFile(ENTRY);
  const example = text.split("```ts")[1]!.split("```")[0]!.replaceAll(/^ \* ?/gm, "");
  const folder = await Deno.makeTempDir();
  try {
    const config = new URL("../../deno.json", import.meta.url).pathname;
    await Deno.writeTextFile(`${folder}/example.ts`, example.replace("./core/mod.ts", ENTRY.href));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "--config", config, "--no-lock", "-A", `${folder}/example.ts`],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const accuracies = new TextDecoder().decode(stdout).trim().split("\n").map(Number);
    assert.equal(accuracies.length, 2);
    assert.ok(accuracies[1]! > 0.5, `better than chance, not ${accuracies}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
