import { deepEqual, equal, match } from "node:assert/strict";

const FIXTURES = "tests/fixtures/golden";

async function verify(...args: string[]): Promise<{ code: number; lines: string[]; error: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", "--no-prompt", "cli/verify.ts", ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { code, lines: text(stdout).split("\n"), error: text(stderr) };
}

async function withOps(ops: unknown, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/ops.json`, JSON.stringify(ops));
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("verify prints a line a case, then how many are within tolerance", async () => {
  const { code, lines } = await verify(
    "--golden",
    FIXTURES,
    "--only",
    "schedule/*,linear/n?i7*",
    "--threads",
    "1",
  );
  equal(code, 0);
  equal(lines.length, 8);
  match(
    lines[0]!,
    /^ok +linear\/n3i7o5b1 +error \d\.\de-\d+ +tolerance \d\.\de-\d+ +torch \d\.\de-\d+ +\w+$/,
  );
  equal(lines.at(-1), "6 of 6 cases within tolerance");
});

Deno.test("verify --json holds every comparison", async () => {
  const { code, lines } = await verify("--golden", FIXTURES, "--only", "add/residual", "--json");
  equal(code, 0);
  const { passed, total, results } = JSON.parse(lines.join("\n"));
  deepEqual([passed, total], [1, 1]);
  deepEqual(results[0].outcome.comparisons.map(({ what }: { what: string }) => what), [
    "y",
    "grad_a",
    "grad_b",
  ]);
});

Deno.test("verify names what is missing and what is wrong, and exits with 1", async () => {
  const schedulers = [
    { name: "cosine", base_lr: 1, T_max: 4, lrs: [1, 0.7] },
    { name: "polynomial", base_lr: 1, lrs: [1] },
    { name: "constant", base_lr: 1, lrs: [1] },
  ];
  await withOps({ schedulers }, async (folder) => {
    const { code, lines } = await verify("--golden", folder);
    equal(code, 1);
    match(lines[0]!, /^FAIL +schedule\/cosine +error 1\.5e-1/);
    match(lines[1]!, /^missing +schedule\/polynomial +there is no schedule polynomial$/);
    deepEqual(lines.slice(-3), [
      "Missing (1): schedule/polynomial",
      "Not within tolerance (1): schedule/cosine",
      "1 of 3 cases within tolerance",
    ]);
  });
});

Deno.test("a folder without a case is a mistake, not a success", async () => {
  await withOps({ cases: [] }, async (folder) => {
    const { code, error } = await verify("--golden", folder);
    equal(code, 2);
    match(error, /hold no cases$/);
  });
});

Deno.test("verify answers bad arguments with one line and exit code 2", async () => {
  const complaints: [args: string[], complaint: RegExp][] = [
    [[], /--golden is missing/],
    [["--golden", "tests/no_such_folder"], /tests\/no_such_folder cannot be read/],
    [["--golden", "tests/cli"], /tests\/cli holds no golden files/],
    [["--golden", FIXTURES, "--only", "nothing/*"], /none of the \d+ cases/],
    [["--golden", FIXTURES, "--threads", "0"], /--threads/],
    [["--golden", FIXTURES, "--threads", "100000"], /--threads .* at most 256/],
    [["--goldn", FIXTURES], /--golden/],
  ];
  for (const [args, complaint] of complaints) {
    const { code, error } = await verify(...args);
    equal(code, 2, args.join(" "));
    match(error, complaint);
    equal(error.split("\n").length, 1, error);
  }
});
