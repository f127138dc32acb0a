/**
 * `deno task test`: all tests in plain Deno, then the kernels' tests again with 256-bit SIMD, as `deno task train` has it.
 * The last line counts both: `N passed, N failed`.
 */
import { addCounts, type Counts, countsOf, summary } from "./support/counts.ts";

const WIDE_SIMD = "--v8-flags=--experimental-wasm-revectorize,--no-wasm-bounds-checks";

const runs: { title: string; args: string[] }[] = [
  { title: "all tests", args: ["tests"] },
  { title: "kernel tests with 256-bit SIMD", args: ["--no-check", WIDE_SIMD, "tests/backend"] },
];

/** Runs `deno test`, shows its output as it comes, and counts from its closing line. */
async function run(args: readonly string[]): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", ...args],
    env: Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : {},
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const chunk of child.stdout) {
    await write(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  const { success } = await child.status;
  return countsOf(output, success);
}

async function write(bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}

let total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const { title, args } of runs) {
  console.log(`== ${title}`);
  total = addCounts(total, await run([...args, ...Deno.args]));
}
console.log(summary(total));
if (total.failed > 0 || total.passed === 0) Deno.exitCode = 1;
