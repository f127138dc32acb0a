/** `compare`: several runs in one table and one plot. */
import { basename, extname, join, resolve } from "node:path";
import { UserError } from "../core/errors.ts";
import { compareRuns, type RunOutcome, type RunRecord } from "../core/metrics/compare_runs.ts";
import { alignColumns } from "../core/summary/format.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { readText, statIfThere } from "../host/files.ts";
import { CONFIG, LOG, readLog } from "../host/run_folder.ts";
import { describeFlags, parseFlags, splitPositionals, switchFlag, text } from "./arguments.ts";
import { main } from "./main.ts";
import { percent } from "./report.ts";
import { duration } from "./terminal.ts";

const flags = {
  output: text("FILE", "the plot, a .svg; default compare.svg"),
  json: switchFlag("the table for programs, and no plot unless --output names one"),
  help: switchFlag("shows this"),
};

const HELP =
  `Puts runs beside each other: the settings in which they differ, how far they went, how good they are.

  deno task compare runs/A runs/B
  deno task compare runs/* --output all.svg
  deno task compare runs/A runs/B --json

`;

/** Runs the command; returns its exit code. */
export async function compare(args: readonly string[]): Promise<number> {
  const { positionals: folders, rest } = splitPositionals(flags, args);
  const given = parseFlags(flags, rest);
  if (given.help) {
    console.log(HELP + describeFlags(flags).join("\n"));
    return 0;
  }
  if (folders.length === 0) throw new UserError("compare needs runs: deno task compare RUN…; see --help");
  const { output = given.json ? undefined : "compare.svg" } = given;
  if (output !== undefined && extname(output).toLowerCase() !== ".svg") {
    throw new UserError(`--output ${output}: must end in .svg`);
  }
  const runs = await Promise.all(folders.map((folder) => readRun(folder, namesOf(folders))));
  const outcomes = compareRuns(runs);
  console.log(given.json ? JSON.stringify(outcomes, null, 2) : tableOf(outcomes).join("\n"));
  if (output === undefined) return 0;
  const [{ svgOf }, { compareChart }] = await Promise.all([
    import("../core/plot/svg.ts"),
    import("../core/plot/compare_chart.ts"),
  ]);
  await writeAtomically(output, new TextEncoder().encode(await svgOf(compareChart(runs))));
  if (!given.json) console.log(`\nPlot: ${output}`);
  return 0;
}

async function readRun(folder: string, names: ReadonlyMap<string, string>): Promise<RunRecord> {
  const file = join(folder, CONFIG);
  if (!await statIfThere(file)) throw new UserError(`${folder}: no run: there is no ${CONFIG} in it`);
  const log = await readLog(folder);
  if (log.length === 0) throw new UserError(`${folder}: no epoch of this run is finished: ${LOG} has none`);
  return { name: names.get(folder)!, config: parseConfig(await readText(file), file), log };
}

function parseConfig(text: string, file: string): Record<string, unknown> {
  try {
    const config = JSON.parse(text);
    if (typeof config === "object" && config !== null) return config;
  } catch {
    // Told below.
  }
  throw new UserError(`${file}: not the configuration of a run`);
}

/** The folders' own names, or their paths where two are alike. */
function namesOf(folders: readonly string[]): Map<string, string> {
  const own = folders.map((folder) => basename(resolve(folder)));
  return new Map(folders.map((folder, i) => {
    const isOnly = own.indexOf(own[i]!) === own.lastIndexOf(own[i]!);
    return [folder, isOnly ? own[i]! : folder];
  }));
}

function tableOf(outcomes: readonly RunOutcome[]): string[] {
  const settings = Object.keys(outcomes[0]!.settings);
  const head = ["run", ...settings, "epochs", "best", "in epoch", "last", "test loss", "images/s", "time"];
  const rows = outcomes.map((outcome) => [
    outcome.name,
    ...settings.map((name) => shown(outcome.settings[name])),
    String(outcome.epochs),
    outcome.best_accuracy === undefined ? "-" : percent(outcome.best_accuracy),
    String(outcome.best_epoch ?? "-"),
    outcome.last_accuracy === undefined ? "-" : percent(outcome.last_accuracy),
    outcome.test_loss?.toFixed(4) ?? "-",
    outcome.images_per_second?.toFixed(0) ?? "-",
    duration(outcome.seconds),
  ]);
  const numbers = new Set(head.keys().filter((column) => column > settings.length));
  return alignColumns([head, ...rows], numbers);
}

function shown(value: unknown): string {
  if (value === null || value === "") return "-";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

if (import.meta.main) await main(compare);
