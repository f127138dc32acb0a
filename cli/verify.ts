/** `deno task verify --golden DIR`: runs every case of a golden folder and compares the results with PyTorch's. */
import { parseArgs } from "node:util";
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import { UserError } from "../core/errors.ts";
import { readSafetensors } from "../core/format/safetensors.ts";
import { type Case, type Comparison, type Outcome, outcomeOf, within } from "../core/verify/case.ts";
import { casesOf } from "../core/verify/cases.ts";
import type { Golden, GoldenTensor } from "../core/verify/golden.ts";
import { models } from "../models/registry.ts";

const HELP = `Compares Strata with reference numbers.

  deno task verify --golden DIR [options]

  --golden DIR     folder with ops.json, models.json, whole_models.json and their safetensors files
  --only PATTERN   only cases whose name matches, such as 'conv2d/*' or '*resnet*'; may be given several times
  --threads N      worker threads (default: one a core)
  --verbose        every result of every case, not only the worst
  --json           one JSON document instead of lines
  --help           this text

Exit code 0: all cases are within tolerance. 1: some are not, or ask for what does not exist yet. 2: bad arguments.`;

interface Arguments {
  readonly golden: string;
  readonly only: readonly string[];
  readonly threads: number | undefined;
  readonly verbose: boolean;
  readonly json: boolean;
}

interface Result {
  readonly name: string;
  readonly outcome: Outcome;
}

/** Returns the exit code. */
export async function verify(args: readonly string[]): Promise<number> {
  const options = readArguments(args);
  if (!options) {
    console.log(HELP);
    return 0;
  }
  const cases = selectCases(casesOf(await readGolden(options.golden), models), options);
  const width = Math.max(...cases.map(({ name }) => name.length));
  const backend = await createWasmBackend(options.threads === undefined ? {} : { threads: options.threads });
  const results: Result[] = [];
  try {
    for (const golden of cases) {
      const result = { name: golden.name, outcome: await outcomeOf(golden, backend) };
      results.push(result);
      if (!options.json) { for (const line of linesOf(result, width, options.verbose)) console.log(line); }
    }
  } finally {
    backend.close();
  }
  const passed = results.filter(({ outcome }) => outcome.status === "ok").length;
  if (options.json) console.log(JSON.stringify({ passed, total: results.length, results }, null, 2));
  else for (const line of closingLines(results, passed)) console.log(line);
  return passed === results.length ? 0 : 1;
}

function readArguments(args: readonly string[]): Arguments | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        golden: { type: "string" },
        only: { type: "string", multiple: true, default: [] },
        threads: { type: "string" },
        verbose: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return undefined;
    if (values.golden === undefined) {
      throw new UserError("--golden DIR is missing: say where the references are");
    }
    const threads = values.threads === undefined ? undefined : Number(values.threads);
    if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
      throw new UserError(`--threads must be a whole number from 1, not ${values.threads}`);
    }
    return { golden: values.golden, only: values.only, threads, verbose: values.verbose, json: values.json };
  } catch (error) {
    if (error instanceof TypeError) throw new UserError(`${error.message.split(". ")[0]}; see --help`);
    throw error;
  }
}

function selectCases(cases: readonly Case[], { golden, only }: Arguments): readonly Case[] {
  if (cases.length === 0) throw new UserError(`--golden ${golden}: the folder holds no golden files`);
  if (only.length === 0) return cases;
  const patterns = only.map(globPattern);
  const selected = cases.filter(({ name }) => patterns.some((pattern) => pattern.test(name)));
  if (selected.length === 0) {
    throw new UserError(`--only ${only.join(" --only ")}: none of the ${cases.length} cases has such a name`);
  }
  return selected;
}

/** `*` stands for any text, `?` for one character. */
function globPattern(glob: string): RegExp {
  const source = glob.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}

async function readGolden(folder: string): Promise<Golden> {
  const json = new Map<string, unknown>();
  const tensors = new Map<string, GoldenTensor>();
  for (const file of await filesIn(folder)) {
    const path = `${folder}/${file}`;
    if (file.endsWith(".json")) json.set(file.slice(0, -".json".length), await readJson(path));
    if (file.endsWith(".safetensors")) {
      for (const [name, { shape, data, dtype }] of readSafetensors(await Deno.readFile(path), path).tensors) {
        if (dtype === "I64") {
          throw new UserError(`${path}: ${name} is I64; golden numbers are F32, F64 or I32`);
        }
        tensors.set(name, { shape, data: data as ArrayLike<number> });
      }
    }
  }
  return { json, tensors };
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ isDirectory }) => !isDirectory).map(({ name }) => name).sort();
  } catch (error) {
    throw new UserError(`--golden ${folder}: the folder cannot be read (${(error as Error).name})`);
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message.split("\n")[0]}`);
  }
}

function linesOf({ name, outcome }: Result, width: number, verbose: boolean): string[] {
  const head = `${outcome.status.padEnd(7)}  ${name.padEnd(width)}`;
  if ("reason" in outcome) return [`${head}  ${outcome.reason}`];
  const details = verbose
    ? outcome.comparisons
    : outcome.comparisons.filter((comparison) => !within(comparison) && comparison !== outcome.worst);
  return [`${head}  ${figures(outcome.worst)}`, ...details.map((detail) => `           ${figures(detail)}`)];
}

function figures({ what, error, tolerance, torch }: Comparison): string {
  const numbers = `error ${short(error)}  tolerance ${short(tolerance)}`;
  return `${numbers}  torch ${torch === undefined ? "   –   " : short(torch)}  ${what}`;
}

function short(number: number): string {
  return number === 0 ? "   0   " : number.toExponential(1).padEnd(7);
}

function closingLines(results: readonly Result[], passed: number): string[] {
  const names = (status: Outcome["status"]) =>
    results.filter(({ outcome }) => outcome.status === status).map(({ name }) => name);
  const listed = (title: string, found: readonly string[]) =>
    found.length > 0 ? [`${title} (${found.length}): ${found.join(", ")}`] : [];
  return [
    "",
    ...listed("Missing", names("missing")),
    ...listed("Not within tolerance", names("FAIL")),
    `${passed} of ${results.length} cases within tolerance`,
  ];
}

if (import.meta.main) {
  try {
    Deno.exitCode = await verify(Deno.args);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    Deno.exitCode = 2;
  }
}
