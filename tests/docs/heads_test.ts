import assert from "node:assert/strict";

/** The page shows what its commands print, so they are run again. */
Deno.test("docs/heads.md shows what its commands print", async () => {
  const root = new URL("../../", import.meta.url);
  const page = await Deno.readTextFile(new URL("docs/heads.md", root));
  const commands = [...page.matchAll(/^\$ deno task summary (.*)$/gm)].map(([line, args]) => ({
    line,
    args: args!,
  }));
  assert.equal(commands.length, 2);
  for (const { line, args } of commands) {
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "cli/summary.ts", ...args.split(" ")],
      cwd: root,
    }).output();
    assert.ok(success, line);
    assert.ok(page.includes(`${line}\n${new TextDecoder().decode(stdout)}`), line);
  }
});
