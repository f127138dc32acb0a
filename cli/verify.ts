/** `deno task verify --golden DIR`: runs every case of a golden folder and compares the results with PyTorch's. */
import { UserError } from "../core/errors.ts";
import { type Comparison, type Outcome, outcomeOf, within } from "../core/verify/case.ts";
import { casesOf } from "../core/verify/cases.ts";
import { readGolden } from "../host/golden.ts";
import { models } from "../models/registry.ts";
import { describeFlags, parseFlags, switchFlag, text, whole } from "./arguments.ts";
import { createBackend, deviceFlag, exactFlag } from "./backend.ts";
import { selectCases } from "./glob.ts";
import { main } from "./main.ts";

/** Each takes memory and time to start, and results depend on none of them. */
const MAX_THREADS = 256;

export const verifyFlags = {
  golden: text("DIR", "folder with ops.json, models.json, whole_models.json and their safetensors files"),
  only: text("GLOBS", "only cases whose name matches one of these, such as 'conv2d/*,model/resnet*'"),
  device: deviceFlag,
  threads: whole(`worker threads, at most ${MAX_THREADS}; by default one a core`, {
    min: 1,
    max: MAX_THREADS,
  }),
  exact: exactFlag,
  verbose: switchFlag("every result of every case, not only the worst"),
  json: switchFlag("one JSON document instead of lines"),
  help: switchFlag("this text"),
};

export interface Result {
  readonly name: string;
  readonly outcome: Outcome;
}

/** Returns the exit code: 0 where all cases are within tolerance, else 1. */
export async function verify(args: readonly string[]): Promise<number> {
  const given = parseFlags(verifyFlags, args);
  const { golden, only, verbose = false, json = false, help } = given;
  if (help) {
    console.log(["deno task verify --golden DIR [flags]", "", ...describeFlags(verifyFlags)].join("\n"));
    return 0;
  }
  if (golden === undefined) {
    throw new UserError("--golden is missing: it names the folder with the references");
  }
  const all = casesOf(await readGolden(golden), models);
  if (all.length === 0) throw new UserError(`--golden ${golden}: its files hold no cases`);
  const cases = selectCases(all, only);
  const width = Math.max(...cases.map(({ name }) => name.length));
  const backend = await createBackend(given);
  const results: Result[] = [];
  try {
    for (const item of cases) {
      const result = { name: item.name, outcome: await outcomeOf(item, backend) };
      results.push(result);
      if (!json) console.log(linesOf(result, width, verbose).join("\n"));
    }
  } finally {
    backend.close();
  }
  const passed = results.filter(({ outcome }) => outcome.status === "ok").length;
  console.log(
    json ? JSON.stringify({ passed, total: results.length, results }, null, 2) : closing(results, passed),
  );
  return passed === results.length ? 0 : 1;
}

/** One line, and below it the other results that are not within tolerance (or all of them). */
export function linesOf({ name, outcome }: Result, width: number, verbose: boolean): string[] {
  const head = `${outcome.status.padEnd(7)}  ${name.padEnd(width)}`;
  if ("reason" in outcome) return [`${head}  ${outcome.reason}`];
  const { worst, comparisons } = outcome;
  const others = comparisons.filter((item) => item !== worst && (verbose || !within(item)));
  return [
    `${head}  ${figures(worst)}`,
    ...others.map((item) => `${" ".repeat(width + 9)}  ${figures(item)}`),
  ];
}

function figures({ what, error, tolerance, torch }: Comparison): string {
  return `error ${short(error)}  tolerance ${short(tolerance)}  torch ${short(torch)}  ${what}`;
}

function short(number: number | undefined): string {
  if (number === undefined) return "–".padEnd(7);
  return (number === 0 ? "0" : number.toExponential(1)).padEnd(7);
}

/** The names of what is missing or wrong, then `N of M cases within tolerance`. */
export function closing(results: readonly Result[], passed: number): string {
  const listed = (title: string, status: Outcome["status"]) => {
    const names = results.filter(({ outcome }) => outcome.status === status).map(({ name }) => name);
    return names.length > 0 ? [`${title} (${names.length}): ${names.join(", ")}`] : [];
  };
  return [
    "",
    ...listed("Missing", "missing"),
    ...listed("Not within tolerance", "FAIL"),
    `${passed} of ${results.length} cases within tolerance`,
  ].join("\n");
}

if (import.meta.main) await main(verify);
