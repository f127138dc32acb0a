/** `compare`: several runs in one table, and in one plot. */
import { basename, extname, join, resolve } from "node:path";
import { UserError } from "../core/errors.ts";
import type { LogRow } from "../core/metrics/log.ts";
import { differingSettings, type RunFigures, runFigures } from "../core/metrics/runs.ts";
import { alignColumns } from "../core/summary/format.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { readText, statIfThere } from "../host/files.ts";
import { CONFIG, readLog } from "../host/run_folder.ts";
import { describeFlags, parseFlags, splitPositionals, switchFlag, text } from "./arguments.ts";
import { main } from "./main.ts";
import { imagesNumber, percent } from "./figures.ts";
import { ASIDE } from "./settings/config_file.ts";
import { flagOf } from "./settings/settings.ts";
import { duration } from "./terminal.ts";

export const compareFlags = {
  output: text("FILE", "a .svg: the runs' test accuracy (or mAP) and loss over each other"),
  json: switchFlag("prints JSON, and nothing else"),
  help: switchFlag("shows this"),
};

const HELP = `Puts runs beside each other: the settings in which they differ, and how they went.

  deno task compare runs/A runs/B
  deno task compare runs/* --output runs.svg

`;

interface ComparedRun {
  readonly name: string;
  readonly folder: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: readonly LogRow[];
  readonly figures: RunFigures;
}

/** Runs the command; returns its exit code. */
export async function compare(args: readonly string[]): Promise<number> {
  const { positionals: folders, rest } = splitPositionals(compareFlags, args);
  const { output, json, help } = parseFlags(compareFlags, rest);
  if (help) {
    console.log(HELP + describeFlags(compareFlags).join("\n"));
    return 0;
  }
  if (folders.length === 0) {
    throw new UserError("compare needs the folders of runs: deno task compare RUN RUN");
  }
  if (output !== undefined && extname(output).toLowerCase() !== ".svg") {
    throw new UserError(`--output ${output}: must end in .svg`);
  }
  const names = namesOf(folders);
  const runs = await Promise.all(folders.map((folder, i) => readRun(folder, names[i]!)));
  const settings = differingSettings(runs.map(({ config }) => config))
    .filter((name) => !ASIDE.includes(name) && name !== "epochs");
  const sameImages = new Set(runs.map(({ config }) => JSON.stringify(config["images"]))).size === 1;
  if (!sameImages) console.error("Note: the runs were not all trained and tested on the same images");
  if (json) {
    const all = runs.map(({ folder, config, figures }) => ({ run: folder, ...figures, settings: config }));
    console.log(JSON.stringify({ same_images: sameImages, differing: settings, runs: all }, null, 2));
  } else console.log(tableOf(runs, settings).join("\n"));
  if (output !== undefined) {
    await draw(runs, output);
    console.error(`Wrote ${output}`);
  }
  return 0;
}

async function readRun(folder: string, name: string): Promise<ComparedRun> {
  const file = join(folder, CONFIG);
  if (!await statIfThere(file)) {
    throw new UserError(`${folder}: no run's folder: there is no ${CONFIG} in it`);
  }
  let config: unknown;
  try {
    config = JSON.parse(await readText(file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: not JSON (${(error as Error).message})`);
  }
  if (typeof config !== "object" || config === null) throw new UserError(`${file}: no run's settings`);
  const log = await readLog(folder);
  return { name, folder, config: config as Record<string, unknown>, log, figures: runFigures(log) };
}

/** Short ones, where these tell the folders apart. */
function namesOf(folders: readonly string[]): readonly string[] {
  const twice = folders.find((folder, i) =>
    folders.some((other, j) => j < i && resolve(other) === resolve(folder))
  );
  if (twice !== undefined) throw new UserError(`${twice}: is named twice`);
  const short = folders.map((folder) => basename(resolve(folder)));
  return new Set(short).size === short.length ? short : folders;
}

function tableOf(runs: readonly ComparedRun[], settings: readonly string[]): string[] {
  const rows = runs.map(({ name, config, figures }) => {
    const { epochs, best_accuracy, best_map50, best_epoch, seconds, images_per_second } = figures;
    const best = best_map50 ?? best_accuracy;
    const wanted = Number(config["epochs"]);
    return [
      name,
      ...settings.map((setting) => shown(setting, config[setting])),
      epochs < wanted ? `${epochs} of ${wanted}` : String(epochs),
      best === undefined ? "-" : percent(best),
      best_epoch === undefined ? "-" : String(best_epoch),
      duration(seconds),
      images_per_second === undefined ? "-" : imagesNumber(images_per_second),
    ];
  });
  const titles = ["run", ...settings.map(flagOf)];
  const scores = new Set(
    runs.map(({ figures }) => figures.best_map50 === undefined ? "accuracy" : "mAP@0.5"),
  );
  const figures = ["epochs", `best test ${[...scores].join(" or ")}`, "in epoch", "time", "images/s"];
  const right = new Set(figures.map((_, i) => titles.length + i));
  return alignColumns([[...titles, ...figures], ...rows], right);
}

/** A setting's value in a table. */
function shown(setting: string, value: unknown): string {
  if (value === undefined || value === "") return "-";
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.join(setting === "input" ? "x" : ",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

async function draw(runs: readonly ComparedRun[], output: string): Promise<void> {
  if (runs.every(({ log }) => log.length === 0)) {
    throw new UserError(`--output ${output}: no run has finished an epoch, so there is nothing to draw`);
  }
  const [{ svgOf }, { comparison }] = await Promise.all([
    import("../core/plot/svg.ts"),
    import("../core/plot/comparison.ts"),
  ]);
  await writeAtomically(output, new TextEncoder().encode(await svgOf(comparison(runs))));
}

if (import.meta.main) await main(compare);
