/** `models`: the networks that have a name. */
import { UserError } from "../core/errors.ts";
import { alignColumns, commas, times } from "../core/summary/format.ts";
import { summarise } from "../core/summary/summary.ts";
import { models } from "../models/registry.ts";
import { globPattern } from "./glob.ts";
import { main } from "./main.ts";

const HELP = `Lists the networks that have a name, with what they take for one image.

  deno task models             all of them
  deno task models 'resnet*'   those whose names match: * stands for any characters, ? for one`;

const TITLES = ["Name", "Parameters", "MACs", "Input", "Paper", "Source"];

/** Runs the command; returns its exit code. */
export function listModels(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(HELP);
    return Promise.resolve(0);
  }
  const [pattern = "*", ...rest] = args;
  if (pattern.startsWith("-") || rest.length > 0) {
    throw new UserError(
      `${rest[0] ?? pattern} is not expected here: models takes one name, in which * may stand`,
    );
  }
  const names = globPattern(pattern);
  const found = Object.entries(models).filter(([name]) => names.test(name));
  if (found.length === 0) {
    throw new UserError(`no network is called ${pattern}; there are ${Object.keys(models).join(", ")}`);
  }
  const rows = found.map(([name, { create, input, paper, source }]) => {
    const { parameters, macs } = summarise(create(), [1, ...input]);
    const published = paper ? `${paper.authors} ${paper.year}, ${paper.url}` : "";
    return [name, commas(parameters), commas(macs), times(input), published, source];
  });
  console.log(alignColumns([TITLES, ...rows], new Set([1, 2])).join("\n"));
  return Promise.resolve(0);
}

if (import.meta.main) await main(listModels);
