/**
 * `deno task fuzz [--count 1000] [--seed 0] FILE…`: reads damaged copies of files by the reader that is for each, and
 * tells what became of them. Every file has a process of its own: a hang is ended after a minute, a crash is told, and
 * both name the copy. Without files, those that the quick test makes.
 */
import { basename } from "node:path";
import { describeFlags, parseFlags, splitPositionals, switchFlag, whole } from "../cli/arguments.ts";
import { main } from "../cli/main.ts";
import { UserError } from "../core/errors.ts";
import { readBytes } from "../host/files.ts";
import { closeReaders, fuzz, mostBytes, mostMs, readers } from "./support/fuzz.ts";
import { fuzzFiles } from "./support/fuzz_files.ts";

const flags = {
  count: whole("damaged copies of each file; 1000", { min: 1 }),
  seed: whole("of the damage; 0", { min: 0 }),
  child: switchFlag("reads in this process, and counts aloud: what the others are started with"),
  help: switchFlag("shows this"),
};

const HELP = `Reads damaged copies of files: an error is well, a hang, a crash or too much memory is not.

  deno task fuzz                             files of each kind, made for this
  deno task fuzz net.pth photo.jpg --count 5000

`;

const HANG_MS = 60_000;

interface Options {
  readonly count: number;
  readonly seed: number;
}

async function command(args: readonly string[]): Promise<number> {
  const { positionals: files, rest } = splitPositionals(flags, args);
  const { count = 1000, seed = 0, child, help } = parseFlags(flags, rest);
  if (help) {
    console.log(HELP + describeFlags(flags).join("\n"));
    return 0;
  }
  if (child) return await fuzzOne(files[0]!, { count, seed });
  if (files.length > 0) return await fuzzAll(files, { count, seed });
  const folder = await Deno.makeTempDir();
  try {
    return await fuzzAll(await fuzzFiles(folder), { count, seed });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function readerOf(path: string) {
  const reader = readers.find(({ fits }) => fits.test(basename(path)));
  if (!reader) throw new UserError(`${path}: no reader is for files of this name`);
  return reader;
}

async function fuzzOne(path: string, { count, seed }: Options): Promise<number> {
  const name = basename(path), bytes = await readBytes(path);
  const reader = readerOf(path);
  const parent = await Deno.makeTempDir();
  const options = { count, seed, onCopy: (index: number) => console.log(index) };
  const result = await fuzz(reader, { name, bytes, parent }, options);
  await Deno.remove(parent, { recursive: true });
  closeReaders();
  const { read, refused, faults, slowestMs, peakBytes = 0 } = result;
  const isHeavy = peakBytes > mostBytes(bytes.length), isSlow = slowestMs > mostMs(name);
  console.log(
    `${reader.name.padEnd(14)} ${name.padEnd(32)} ${count} copies: ${read} read, ${refused} refused, ` +
      `${faults.length} faults; slowest ${slowestMs.toFixed(0)} ms, memory ${
        (peakBytes / 1e6).toFixed(0)
      } MB` +
      (isHeavy ? ": TOO MUCH" : "") + (isSlow ? ": TOO SLOW" : ""),
  );
  faults.slice(0, 5).forEach((fault) => console.log(`  ${fault}`));
  return faults.length > 0 || isHeavy || isSlow ? 1 : 0;
}

async function fuzzAll(paths: readonly string[], options: Options): Promise<number> {
  for (const path of paths) {
    readerOf(path);
    await readBytes(path);
  }
  let code = 0;
  for (const path of paths) if (!await watch(path, options)) code = 1;
  return code;
}

/** Runs a child for one file; whether all was well. */
async function watch(path: string, { count, seed }: Options): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      import.meta.filename!,
      "--child",
      "--count",
      String(count),
      "--seed",
      String(seed),
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

if (import.meta.main) await main(command);
