import assert from "node:assert/strict";
import { completionScript } from "../../cli/completion.ts";
import { trainFlags } from "../../cli/train_flags.ts";

Deno.test("every flag is completed in every shell", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = completionScript(shell);
    for (const name of Object.keys(trainFlags)) {
      assert.ok(script.includes(shell === "fish" ? `-l ${name} ` : `--${name}`), `${shell}: ${name}`);
    }
    assert.ok(script.includes("onecycle cosine") || script.includes("constant step multistep"), shell);
  }
  assert.throws(() => completionScript("csh"), /there are completions for bash, zsh, fish, not for "csh"/);
});

Deno.test("bash takes the script, and completes flags and values", async () => {
  const script = `${completionScript("bash")}
complete_words() {
  COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _strata
  echo "\${COMPREPLY[*]}"
}
complete_words deno task train --ema
complete_words deno task train --optimizer a`;
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("bash", { args: ["-c", script] }).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // There is no bash here.
    throw error;
  }
  const lines = new TextDecoder().decode(output.stdout).trim().split("\n");
  assert.deepEqual(lines, ["--ema --ema-decay", "adam adamw"], new TextDecoder().decode(output.stderr));
});
