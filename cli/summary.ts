/** `summary`: what a network is made of, what it takes, and whether its shapes are as expected. */
import { MEMORY_LIMIT } from "../core/backend/wasm/regions.ts";
import { UserError } from "../core/errors.ts";
import { dotText } from "../core/draw/dot.ts";
import { optimizerNames } from "../core/optim/optimizer.ts";
import { classicText } from "../core/summary/classic.ts";
import { csvText, jsonText } from "../core/summary/data.ts";
import { commas, short, times } from "../core/summary/format.ts";
import { memoryText, plannedMemory } from "../core/summary/memory.ts";
import { summarise, type Summary } from "../core/summary/summary.ts";
import { markdownText, treeText } from "../core/summary/tree.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { describeFlags, oneOf, parseFlags, switchFlag, text, whole } from "./arguments.ts";
import { main } from "./main.ts";
import { chooseModel, extents, modelFlags } from "./model.ts";
import { usualOptimizer } from "./settings/schedule.ts";

export const summaryFlags = {
  ...modelFlags,
  "batch-size": whole("images a batch; default 1, and left open (-1) in the classic table", { min: 1 }),
  optimizer: oneOf(optimizerNames, "sgd (with momentum, the default), adam, adamw or rmsprop"),
  threads: whole("threads that memory is planned for; default one a core", { min: 1, max: 256 }),
  training: switchFlag("modules as they run in training, auxiliary classifiers among them"),
  style: oneOf(
    ["torchsummary", "tree"],
    "torchsummary (its table alone) or tree; default the table, MACs, memory",
  ),
  json: switchFlag("everything, for programs"),
  csv: switchFlag("a line for each module"),
  markdown: switchFlag("a table for a README"),
  depth: whole("leaves out modules that are deeper; not for the classic table", { min: 0 }),
  dot: text("FILE", "writes a picture for Graphviz"),
  svg: text("FILE", "writes a picture for a browser"),
  "expect-output": extents("exits with 1 unless one image gives this", "1024x7x7"),
  "expect-params": whole("exits with 1 unless the network has so many parameters", { min: 0 }),
  help: switchFlag("shows this"),
};

const HELP = `Summarises a network. Nothing runs, so that it takes no time and no memory.

  deno task summary --model alexnet --input 3x256x256 --num-classes 10
  deno task summary --model resnet50 --style tree --depth 2
  deno task summary --model resnet50 --svg resnet50.svg
  deno task summary --model darknet53 --expect-output 18 --expect-params 40603378

`;

/** Runs the command; returns its exit code. */
export async function summary(args: readonly string[]): Promise<number> {
  const given = parseFlags(summaryFlags, args);
  if (given.help) {
    console.log(HELP + describeFlags(summaryFlags).join("\n"));
    return 0;
  }
  const formats = (["style", "json", "csv", "markdown"] as const).filter((name) => given[name] !== undefined);
  if (formats.length > 1) throw new UserError(`--${formats[0]} and --${formats[1]}: choose one`);
  const pictures = given.dot !== undefined || given.svg !== undefined;
  const isClassic = formats.length === 0 ? !pictures : given.style === "torchsummary";
  if (given.depth !== undefined && isClassic) {
    throw new UserError("--depth has no meaning for the classic table; add --style tree, for one");
  }

  const { name, model, input } = await chooseModel(given);
  const training = given.training ?? false;
  // Batch norm needs two values to learn from: torchsummary, too, runs two images.
  const batch = given["batch-size"] ?? (training ? 2 : 1);
  const result = summarise(model, [batch, ...input], { training });

  const options = { name, depth: given.depth };
  const memoryOptions = {
    optimizer: usualOptimizer(given.optimizer ?? "sgd"),
    threads: given.threads ?? navigator.hardwareConcurrency,
    limit: MEMORY_LIMIT,
  };
  const plan = () => plannedMemory(model, result.input, memoryOptions);
  if (given.json) console.log(jsonText(result, { ...options, memory: { ...plan() } }));
  else if (given.csv) console.log(csvText(result, options));
  else if (given.markdown) console.log(markdownText(result, options));
  else if (given.style === "tree") console.log(treeText(result, options));
  else if (isClassic) {
    console.log(classicText(result.classic, result.input, given["batch-size"]));
    if (given.style === undefined) {
      console.log(
        `\nMACs (multiply-accumulates of one image): ${commas(result.macs)} (${short(result.macs)})\n`,
      );
      console.log(memoryText(plan(), batch, memoryOptions));
    }
  }
  if (pictures) await draw(dotText(model, result.input, { ...options, training }), given.dot, given.svg);
  return checkExpectations(given, name, result);
}

async function draw(picture: string, dot: string | undefined, svg: string | undefined): Promise<void> {
  const write = async (path: string, content: string) => {
    await writeAtomically(path, new TextEncoder().encode(content));
    console.log(`Wrote ${path}`);
  };
  if (dot !== undefined) await write(dot, picture);
  // Only where it is needed: Graphviz takes a moment to load.
  if (svg !== undefined) await write(svg, await (await import("../core/draw/svg.ts")).svgOf(picture));
}

function checkExpectations(
  given: { "expect-output"?: readonly number[]; "expect-params"?: number },
  name: string,
  { output, parameters }: Summary,
): number {
  const wrong: string[] = [];
  const { "expect-output": expectedOutput, "expect-params": expectedParameters } = given;
  const found = output.slice(1);
  if (expectedOutput && expectedOutput.join() !== found.join()) {
    wrong.push(`the output is ${times(found)}, expected ${times(expectedOutput)}`);
  }
  if (expectedParameters !== undefined && expectedParameters !== parameters) {
    wrong.push(`it has ${commas(parameters)} parameters, expected ${commas(expectedParameters)}`);
  }
  for (const line of wrong) console.error(`${name}: ${line}`);
  return wrong.length > 0 ? 1 : 0;
}

if (import.meta.main) await main(summary);
