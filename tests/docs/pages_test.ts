/** What the README and the pages of docs/ say must work: examples, commands and their flags, links. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tasks } from "../../cli/completion.ts";
import { negatable } from "../../cli/train_flags.ts";
import { withFolder } from "../support/temp_folder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = [
  "README.md",
  "ARCHITECTURE.md",
  ...[...Deno.readDirSync(join(root, "docs"))].map(({ name }) => `docs/${name}`).filter((name) =>
    name.endsWith(".md")
  ),
];
const texts = pages.map((page) => ({ page, text: Deno.readTextFileSync(join(root, page)) }));

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code!);
}

Deno.test("the README's network can be traced, and its other example runs and prints what it says", async () => {
  const [network, use, ...others] = blocks(texts[0]!.text, "ts");
  assert.ok(network && use && others.length === 0);
  await withFolder(async (folder) => {
    const placed = (code: string) =>
      code.replaceAll('"./core/', `"${new URL("../../core/", import.meta.url)}`);
    await Deno.writeTextFile(join(folder, "my_net.ts"), placed(network));
    await Deno.writeTextFile(join(folder, "use.ts"), placed(use));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "--config", join(root, "deno.json"), join(folder, "use.ts")],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.match(use, /console\.log\(.*; \/\/ \[1, 10\]$/m);
    assert.equal(new TextDecoder().decode(stdout), "[ 1, 10 ]\n");

    const summary = /deno task summary (--model \.\/my_net\.ts --expect.*?)`/.exec(texts[0]!.text)?.[1];
    assert.ok(summary);
    const checked = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-read",
        join(root, "cli/summary.ts"),
        ...summary.replace("./my_net.ts", join(folder, "my_net.ts")).split(" "),
      ],
    }).output();
    assert.ok(checked.success, new TextDecoder().decode(checked.stderr));
  });
});

Deno.test("commands that pages show are tasks, and their flags are flags of these", () => {
  const { tasks: inConfig } = JSON.parse(Deno.readTextFileSync(join(root, "deno.json")));
  let seen = 0;
  for (const { page, text } of texts) {
    for (
      const [line, name, rest] of text.matchAll(/deno(?:@\S+)? task (?:--quiet )?([\w:-]+)([^`\n|#)]*)/g)
    ) {
      assert.ok(name! in inConfig, `${page}: ${line}`);
      const task = tasks[name!];
      if (!task) continue;
      const off = name === "train" ? negatable.map((flag) => `no-${flag}`) : [];
      for (const [, flag] of rest!.matchAll(/--([a-z][\w-]*)/g)) {
        assert.ok(flag! in task.flags || off.includes(flag!), `${page}: ${line}: --${flag}`);
        seen += 1;
      }
    }
  }
  assert.ok(seen > 60, `${seen} flags`);
});

Deno.test("links between pages lead somewhere", () => {
  let seen = 0;
  for (const { page, text } of texts) {
    for (const [, target] of text.matchAll(/\]\(([^)#]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      assert.ok(Deno.statSync(join(root, dirname(page), target!)), `${page}: ${target}`);
      seen += 1;
    }
  }
  assert.ok(seen > 20, `${seen} links`);
});
