/**
 * `deno task fuzz [--count 1000] [--seed 0] FILE…`: reads damaged copies of files by the reader that is for each, and
 * tells what became of them. Every file has a process of its own: a hang is ended after a minute, a crash is told, and
 * both name the copy. Without files, those that the quick test makes.
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { closeReaders, fuzz, mostBytes, readers } from "./support/fuzz.ts";
import { fuzzFiles } from "./support/fuzz_files.ts";

const HANG_MS = 60_000;

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: "0" },
    child: { type: "boolean" },
  },
});
const count = Number(values.count), seed = Number(values.seed);

if (values.child) await fuzzOne(positionals[0]!);
else if (positionals.length > 0) await fuzzAll(positionals);
else {
  const folder = await Deno.makeTempDir();
  await fuzzAll(await fuzzFiles(folder));
  await Deno.remove(folder, { recursive: true });
}

async function fuzzOne(path: string): Promise<never> {
  const name = basename(path), bytes = await Deno.readFile(path);
  const reader = readers.find(({ fits }) => fits.test(name));
  if (!reader) throw new Error(`${path}: no reader is for files of this name`);
  const parent = await Deno.makeTempDir();
  const options = { count, seed, onCopy: (index: number) => console.log(index) };
  const result = await fuzz(reader, { name, bytes, parent }, options);
  await Deno.remove(parent, { recursive: true });
  closeReaders();
  const { read, refused, faults, slowestMs, peakBytes = 0 } = result;
  const isHeavy = peakBytes > mostBytes(bytes.length);
  console.log(
    `${reader.name.padEnd(14)} ${name.padEnd(32)} ${count} copies: ${read} read, ${refused} refused, ` +
      `${faults.length} faults; slowest ${slowestMs.toFixed(0)} ms, memory ${
        (peakBytes / 1e6).toFixed(0)
      } MB` +
      (isHeavy ? ": TOO MUCH" : ""),
  );
  faults.slice(0, 5).forEach((fault) => console.log(`  ${fault}`));
  Deno.exit(faults.length > 0 || isHeavy ? 1 : 0);
}

async function fuzzAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) if (!await watch(path)) Deno.exitCode = 1;
}

/** Runs a child for one file; whether all was well. */
async function watch(path: string): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      import.meta.filename!,
      "--child",
      "--count",
      values.count,
      "--seed",
      values.seed,
      path,
    ],
    stdout: "piped",
  }).spawn();
  let last = "", hangs = false;
  const end = () => {
    hangs = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(end, HANG_MS);
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    clearTimeout(timer);
    timer = setTimeout(end, HANG_MS);
    for (const line of chunk.split("\n").filter((line) => line !== "")) {
      if (/^\d+$/.test(line)) last = line;
      else console.log(line);
    }
  }
  clearTimeout(timer);
  const { code, success } = await child.status;
  if (hangs) console.log(`${path}: HANGS at copy ${last} of seed ${seed}`);
  else if (code > 1) console.log(`${path}: CRASHES (${code}) at copy ${last} of seed ${seed}`);
  return success;
}
