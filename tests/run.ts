/**
 * `deno task test`: all tests in plain Deno, then the examples in doc comments, and the kernels' tests again with 256-bit
 * SIMD, as `deno task train` has it. What failed is told once more at the end, where those who see only the last lines
 * find it; the last line counts all runs: `N passed, N failed`.
 */
import { addCounts, type Counts, countsOf, failuresOf, summary } from "./support/counts.ts";

const WIDE_SIMD = "--v8-flags=--experimental-wasm-revectorize,--no-wasm-bounds-checks";

interface Run {
  readonly title: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const runs: readonly Run[] = [
  { title: "all tests", args: ["tests"] },
  // Those of core/mod.ts, which import it as a user does, are run by tests/core/mod_test.ts.
  { title: "examples in doc comments", args: ["--doc", "--ignore=core/mod.ts", "core", "models"] },
  {
    title: "kernel tests with 256-bit SIMD",
    args: ["--no-check", WIDE_SIMD, "tests/backend"],
    // The flags change nothing on a GPU.
    env: { STRATA_TEST_WEBGPU: "no" },
  },
];

/** Runs `deno test` and shows its output as it comes. */
async function run({ args, env }: Run): Promise<{ output: string; success: boolean }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", ...args],
    env: {
      ...(Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : {}),
      // Mesa asks for a place for sockets that it does not use, and complains where there is none.
      XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp",
      // Where Mesa's processor stands in for a GPU: compiling kernels takes longer than running them.
      GALLIVM_PERF: "nopt",
      LP_NATIVE_VECTOR_WIDTH: "128",
      ...env,
    },
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
  return { output, success };
}

async function write(bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}

const failures: string[] = [];
let total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const one of runs) {
  console.log(`== ${one.title}`);
  const { output, success } = await run({ ...one, args: [...one.args, ...Deno.args] });
  total = addCounts(total, countsOf(output, success));
  if (!success) failures.push(`== failed: ${one.title}\n${failuresOf(output, success)}`);
}
for (const failure of failures) console.log(failure);
console.log(summary(total));
if (total.failed > 0 || total.passed === 0) Deno.exitCode = 1;
