/**
 * Runs that are killed again and again, at any moment: while they start, train, evaluate, and write each of their files.
 * 50 times in two runs, side by side; STRATA_KILLS=500 for more.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors } from "../../core/format/safetensors.ts";
import { readHeader } from "../../core/train/checkpoint.ts";
import { statIfThere } from "../../host/files.ts";
import { type Dice, dice } from "../support/dice.ts";
import { namesIn } from "../support/temp_folder.ts";
import { command, commandWithPictures, withCifar } from "../support/tiny_run.ts";

const KILLS = Number(Deno.env.get("STRATA_KILLS") ?? 50);
const STEPS = 4;
/** A run, and how it is started. */
interface Settings {
  readonly start: typeof command;
  readonly settings: readonly string[];
  readonly output: string;
}

/** More than the kills leave time for. */
const EPOCHS = Math.ceil(KILLS / 2 * 6 / STEPS);

/**
 * When a process is killed: with so many lines, while it writes a file whose name begins so for the n-th time, or so long
 * after its start.
 */
type Moment =
  | { readonly lines: number; readonly delay: number }
  | { readonly file: string; readonly count: number }
  | { readonly delay: number };

function momentOf({ whole, share, pick }: Dice): Moment {
  const kind = share();
  if (kind < 0.4) return { lines: 1 + whole(5), delay: whole(20) };
  if (kind > 0.85) return { delay: whole(700) };
  const file = pick(["last.safetensors", "best.safetensors", "epoch-", "config.json", "log.csv"]);
  return { file, count: 1 + whole(3) };
}

/** However long it may be until the moment comes, it is killed after so many lines. */
const MOST_LINES = 8;

/** Runs until the moment has come; returns the steps that it told of. Fails where it ends by itself. */
async function live({ start, settings, output }: Settings, moment: Moment): Promise<number> {
  const files = Deno.watchFs(output);
  const child = start(settings).spawn();
  const kill = (milliseconds = 0) => {
    setTimeout(() => {
      try {
        child.kill("SIGKILL");
      } catch {
        // Its end is looked at below.
      }
    }, milliseconds);
  };
  const watchFiles = async () => {
    let seen = new Set<string>();
    for await (const { paths } of files) {
      for (const path of paths) {
        if (!("file" in moment) || !path.includes(`/.${moment.file}`)) continue;
        seen = seen.add(path);
        if (seen.size >= moment.count) child.kill("SIGKILL");
      }
    }
  };
  const watching = watchFiles().catch(() => {});
  if (!("file" in moment) && !("lines" in moment)) kill(moment.delay);
  let steps = 0, lines = 0, text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    steps = [...text.matchAll(/, Step \[\d+\/\d+\] Loss/g)].length;
    lines = Math.max(lines, steps);
    if ("lines" in moment && lines >= moment.lines) kill(moment.delay);
    else if (lines >= MOST_LINES) kill();
  }
  const { signal, code } = await child.status;
  const complaint = await new Response(child.stderr).text();
  files.close();
  await watching;
  assert.equal(signal, "SIGKILL", `ended by itself with ${code}: ${complaint}\n${text}`);
  return steps;
}

interface Saved {
  readonly steps: number;
  readonly contents: unknown;
}

/** What a run can go on from; undefined where there is nothing yet. */
async function readLast(output: string): Promise<Saved | undefined> {
  const path = join(output, "last.safetensors");
  if (!await statIfThere(path)) return undefined;
  const file = readSafetensors(await Deno.readFile(path), path);
  const { progress } = readHeader(file.metadata, path)!;
  return { steps: progress.batches, contents: { progress, tensors: file.tensors } };
}

/** Throws where a file of the run's is not whole. Returns how many half-written ones lie beside them. */
async function checkFolder(output: string): Promise<number> {
  const names = namesIn(output);
  for (const name of names.filter((name) => name.endsWith(".safetensors"))) {
    readSafetensors(await Deno.readFile(join(output, name)), name);
  }
  if (names.includes("config.json")) JSON.parse(await Deno.readTextFile(join(output, "config.json")));
  if (names.includes("log.csv")) {
    const [header, ...rows] = (await Deno.readTextFile(join(output, "log.csv"))).trimEnd().split("\n");
    rows.forEach((row, i) => {
      assert.equal(row.split(",").length, header!.split(",").length, row);
      assert.ok(row.startsWith(`${i + 1},`), row);
    });
  }
  return names.filter((name) => name.endsWith(".tmp")).length;
}

/** Kills a run so often; returns how often a file was being written. Nothing but the last step may be lost. */
async function killAgainAndAgain(run: Settings, seed: number): Promise<number> {
  const { settings, output } = run;
  const random = dice(seed);
  await Deno.mkdir(output);
  let halves = 0, reached = 0;
  for (let kill = 0; kill < KILLS / 2; kill++) {
    const own = ["--threads", random.pick(["1", "2"]), "--print-every", "1"];
    const often = ["--save-every-minutes", "0.0000001", "--output", output, "--resume", "auto"];
    const moment = momentOf(random);
    const steps = await live({ ...run, settings: [...settings, ...own, ...often] }, moment);
    halves += await checkFolder(output);
    const saved = (await readLast(output))?.steps ?? 0;
    // A step's line comes before it is saved.
    assert.ok(saved >= reached + steps - 1, `${JSON.stringify(moment)}: ${saved} of ${reached} + ${steps}`);
    reached = saved;
  }
  return halves;
}

Deno.test(`two runs killed ${KILLS} times end as if they never had been`, async () => {
  const more = ["--ema", "--accumulate", "2", "--clip-grad", "1", "--mixup", "0.2", "--save-top-k", "2"];
  await Promise.all([check([], 1, commandWithPictures), check(more, 2, command)]);
});

async function check(flags: readonly string[], seed: number, start: Settings["start"]): Promise<void> {
  await withCifar(async (small, folder) => {
    const settings = [...small, ...flags, "--epochs", String(EPOCHS), "--save-every", "1"];
    const output = join(folder, "killed"), whole = join(folder, "whole");
    const halves = await killAgainAndAgain({ start, settings, output }, seed);
    assert.ok(halves > 0, "no kill met a file that was being written");
    for (const path of [output, whole]) {
      const { code, stderr } = await start([...settings, "--output", path, "--resume", "auto"]).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    }
    assert.deepEqual(keptIn(output), keptIn(whole));
    if (start === commandWithPictures) assert.ok(namesIn(output).includes("curves.svg"));
    assert.deepEqual((await readLast(output))!.contents, (await readLast(whole))!.contents);
    for (const name of namesIn(output).filter((name) => /^(best|epoch).*\.safetensors$/.test(name))) {
      assert.deepEqual(await weights(join(output, name)), await weights(join(whole, name)), name);
    }
    assert.deepEqual(await scores(output), await scores(whole));
  });
}

/** Files that say the same of the same run: all but pictures and what is for TensorBoard. */
function keptIn(folder: string): string[] {
  return namesIn(folder).filter((name) => /\.safetensors$|^config\.json$|^log\.csv$/.test(name));
}

async function weights(path: string): Promise<unknown> {
  return readSafetensors(await Deno.readFile(path)).tensors;
}

/** The log without what depends on the clock. */
async function scores(output: string): Promise<string[]> {
  const rows = (await Deno.readTextFile(join(output, "log.csv"))).split("\n");
  return rows.map((row) => row.split(",").slice(0, 6).join(","));
}
