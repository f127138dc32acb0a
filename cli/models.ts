/** `models`: the networks that have a name. */
import { UserError } from "../core/errors.ts";
import { alignColumns, commas, times } from "../core/summary/format.ts";
import { summarise } from "../core/summary/summary.ts";
import { models } from "../models/registry.ts";
import { describeFlags, parseFlags, splitPositionals, switchFlag } from "./arguments.ts";
import { globPattern } from "./glob.ts";
import { main } from "./main.ts";

export const modelsFlags = {
  json: switchFlag("everything, for programs"),
  help: switchFlag("shows this"),
};

const HELP = `Lists the networks that have a name, with what they take for one image.

  deno task models             all of them
  deno task models 'resnet*'   those whose names match: * stands for any characters, ? for one
`;

const TITLES = ["Name", "Parameters", "MACs", "Input", "Paper", "Source"];

/** Runs the command; returns its exit code. */
export function listModels(args: readonly string[]): Promise<number> {
  const { positionals: [pattern = "*", ...more], rest } = splitPositionals(modelsFlags, args);
  const given = parseFlags(modelsFlags, rest);
  if (given.help) {
    console.log([HELP, ...describeFlags(modelsFlags)].join("\n"));
    return Promise.resolve(0);
  }
  if (more.length > 0) {
    throw new UserError(`${more[0]} is not expected here: models takes one name, in which * may stand`);
  }
  const names = globPattern(pattern);
  const found = Object.entries(models).filter(([name]) => names.test(name));
  if (found.length === 0) {
    throw new UserError(`no network is called ${pattern}; there are ${Object.keys(models).join(", ")}`);
  }
  const listed = found.map(([name, { create, input, num_classes, paper = null, source }]) => {
    const { parameters, macs, output } = summarise(create(), [1, ...input]);
    return { name, parameters, macs, input, output: output.slice(1), num_classes, paper, source };
  });
  if (given.json) {
    console.log(JSON.stringify(listed, null, 2));
    return Promise.resolve(0);
  }
  const rows = listed.map(({ name, parameters, macs, input, paper, source }) => {
    const published = paper ? `${paper.authors} ${paper.year}, ${paper.url}` : "";
    return [name, commas(parameters), commas(macs), times(input), published, source];
  });
  console.log(alignColumns([TITLES, ...rows], new Set([1, 2])).join("\n"));
  return Promise.resolve(0);
}

if (import.meta.main) await main(listModels);
