/** `deno task build:check`: compiles the kernels anew and compares them, byte for byte, with the committed module. */
const COMMITTED = "core/backend/wasm/kernels.wasm";

async function compile(outFile: string): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "build", "--outFile", outFile],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) Deno.exit(code);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

const folder = await Deno.makeTempDir({ prefix: "strata-build-" });
try {
  const rebuilt = `${folder}/kernels.wasm`;
  await compile(rebuilt);
  const [committed, built] = await Promise.all([Deno.readFile(COMMITTED), Deno.readFile(rebuilt)]);
  if (sameBytes(committed, built)) {
    console.log(`${COMMITTED} is what assembly/ compiles to (${built.length} bytes)`);
  } else {
    console.error(
      `${COMMITTED} is not what assembly/ compiles to: run \`deno task build\` and commit the result`,
    );
    Deno.exitCode = 1;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
