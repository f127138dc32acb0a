import assert from "node:assert/strict";
import { completionScript } from "../../cli/completion.ts";
import { trainFlags } from "../../cli/train_flags.ts";

const root = new URL("../../", import.meta.url);

/** What a shell prints; undefined where it is not installed. */
async function shell(name: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr, code } = await new Deno.Command(name, { args: [...args] }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("every flag of training is completed in every shell", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = completionScript(shell);
    for (const name of Object.keys(trainFlags)) {
      assert.ok(script.includes(shell === "fish" ? `-l ${name} ` : `--${name}`), `${shell}: ${name}`);
    }
    assert.ok(script.includes("onecycle cosine") || script.includes("constant step multistep"), shell);
  }
  assert.throws(() => completionScript("csh"), /there are completions for bash, zsh, fish, not for "csh"/);
});

Deno.test("every command among the tasks is completed", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const commands = Object.entries<string>(tasks).flatMap(([task, line]) =>
    /(cli\/\w+|train)\.ts$/.test(line) && task !== "build:check" ? [task] : []
  );
  assert.ok(commands.length >= 13);
  const bash = completionScript("bash"), zsh = completionScript("zsh"), fish = completionScript("fish");
  for (const task of commands) {
    assert.ok(bash.includes(`\n    ${task})\n`), `bash: ${task}`);
    assert.ok(zsh.includes(`\n      ${task.replace(":", "\\:")}) _arguments`), `zsh: ${task}`);
    assert.ok(fish.includes(`__fish_seen_subcommand_from ${task}'`), `fish: ${task}`);
  }
});

Deno.test("bash takes the script, and completes flags, names and values", async () => {
  const script = `${completionScript("bash")}
complete_words() {
  COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _strata
  echo "\${COMPREPLY[*]}"
}
complete_words deno task train --ema
complete_words deno task train --optimizer a
complete_words deno task preview --model resnet5
complete_words deno task verify : onnx --on
complete_words deno task bench ker
complete_words deno task convert --mean`;
  const printed = await shell("bash", ["-c", script]);
  const expected = [
    "--ema --ema-decay",
    "adam adamw",
    "resnet50 resnet50_layer4",
    "--only",
    "kernels",
    "--mean",
  ];
  if (printed !== undefined) assert.deepEqual(printed.split("\n"), expected);
});

Deno.test("zsh and fish take their scripts", async () => {
  await shell("zsh", ["-n", "-c", completionScript("zsh")]);
  await shell("fish", ["--no-execute", "-c", completionScript("fish")]);
});
