/** `evaluate`: how good any weights are on any labelled images, in figures and in pictures. */
import { join } from "node:path";
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import type { DatasetSplit } from "../core/data/dataset.ts";
import { UserError } from "../core/errors.ts";
import { calibrate } from "../core/metrics/calibration.ts";
import { confusionMatrix, worstConfusions } from "../core/metrics/confusion.ts";
import { classScores, macroAverage } from "../core/metrics/per_class.ts";
import { loadStateDict, matchStateDict } from "../core/nn/match_state_dict.ts";
import { alignColumns } from "../core/summary/format.ts";
import { createEvaluator, evaluateAll, type TestResult } from "../core/train/evaluation.ts";
import { evaluateGraph } from "../core/train/graphs.ts";
import { batchShape } from "../core/train/run_graphs.ts";
import { loadDataset } from "../host/datasets.ts";
import { makeFolder } from "../host/files.ts";
import { checkWritable } from "../host/run_folder.ts";
import { writeResults } from "../host/result_files.ts";
import {
  describeGroups,
  type Parsed,
  parseFlags,
  splitPositionals,
  switchFlag,
  text,
  whole,
} from "./arguments.ts";
import { backendOptions, exactFlag } from "./backend.ts";
import { main } from "./main.ts";
import { modelEntry, optionFlags, shortName } from "./model.ts";
import { normalizeFlags, normalizeOf } from "./normalize.ts";
import { createTestReport, percent } from "./report.ts";
import { printAccuracy } from "./run.ts";
import { checkData, dataDefaults, dataFlags, loadOptions } from "./settings/data.ts";
import { subjectFlags } from "./settings/subject.ts";
import { readWeights, type Weights } from "./weights.ts";
import { networkOf } from "./weights_network.ts";

const { input, "val-split": valSplit, "val-resize-size": valResize, "bad-images": badImages } = dataFlags;

const groups = {
  "What to test": {
    model: text("NAME", "the network; of a run, the run's"),
    dataset: subjectFlags.dataset,
    data: subjectFlags.data,
    ...optionFlags,
  },
  "The images": {
    input,
    "val-split": valSplit,
    "val-resize-size": valResize,
    "bad-images": badImages,
    "max-megapixels": dataFlags["max-megapixels"],
    ...normalizeFlags,
  },
  How: {
    tta: switchFlag("averages the probabilities of each image and its mirror image"),
    "batch-size": whole("images at a time; the run's, or 32", { min: 1 }),
    exact: exactFlag,
    threads: whole("worker threads; one a core", { min: 1, max: 256 }),
    workers: whole("threads that decode images", { min: 1, max: 64 }),
  },
  "What comes of it": {
    output: text("FOLDER", "where pictures go; runs/evaluate-MODEL-DATASET-TIME"),
    json: switchFlag("all figures, for programs"),
    help: switchFlag("shows this"),
  },
};

const flags = Object.assign({}, ...Object.values(groups)) as
  & (typeof groups)["What to test"]
  & (typeof groups)["The images"]
  & (typeof groups)["How"]
  & (typeof groups)["What comes of it"];

const EXAMPLES = `Tests weights on labelled images, and draws what they get right and wrong.

  deno task evaluate runs/NAME                          a run's best weights on its own test images
  deno task evaluate runs/NAME --tta --json
  deno task evaluate runs/NAME --data ~/photos          a folder with a folder a class
  deno task evaluate resnet20.th --model resnet20 --dataset cifar10 --data ~/cifar10

WEIGHTS is a run's folder, a checkpoint of one, or any file of weights that deno task convert reads.`;

type Given = Parsed<typeof flags>;

/** Runs the command; returns its exit code. */
export async function evaluate(args: readonly string[]): Promise<number> {
  const { positionals: [path, ...more], rest } = splitPositionals(flags, args);
  const given = parseFlags(flags, rest);
  if (given.help) {
    console.log([EXAMPLES, ...describeGroups(groups)].join("\n"));
    return 0;
  }
  if (path === undefined) {
    throw new UserError("evaluate needs weights: deno task evaluate WEIGHTS; see --help");
  }
  if (more.length > 0) throw new UserError(`"${more[0]}" is one file too many: deno task evaluate WEIGHTS`);
  const weights = await readWeights(path);
  const { model: name, data, settings } = await loadImages(weights, given);
  try {
    const output = given.output ?? defaultFolder(name, settings.dataset);
    await checkWritable(output);
    const result = await test(weights, data, given);
    const title = `${shortName(name)} on ${data.test.name}${given.tta ? " with mirror images" : ""}`;
    await makeFolder(output);
    const files = await writeResults(output, title, data.test, result);
    report(given, { weights: weights.path, model: name, output, files }, data, result);
    return 0;
  } finally {
    data.close?.();
  }
}

async function loadImages({ config, path }: Weights, given: Given) {
  const model = given.model ?? config?.model;
  if (model === undefined) {
    throw new UserError(`${path}: it does not say what its weights are of: name the network with --model`);
  }
  const entry = await modelEntry(model);
  const dataset = given.dataset ?? (given.data === undefined ? config?.dataset : "folder");
  if (dataset === undefined) throw new UserError(`${path}: what to test on? Name --data or --dataset`);
  const own = config?.dataset === dataset ? config : {};
  const settings = {
    ...dataDefaults(dataset),
    data: "data",
    seed: 0,
    ...own,
    ...Object.fromEntries(
      Object.keys(groups["The images"])
        .filter((name) => name in dataFlags && given[name as keyof Given] !== undefined)
        .map((name) => [name.replaceAll("-", "_"), given[name as keyof Given]]),
    ),
    ...given.data === undefined ? {} : { data: given.data },
    dataset,
  };
  checkData(settings, { ...given });
  const made = config?.shape ?? entry.input;
  // Images of another data set than the run's become what its network takes.
  const foreign = config?.shape && config.dataset !== dataset && settings.input.length === 0;
  const options = loadOptions(foreign ? { ...settings, input: config.shape! } : settings, made, {
    note: (line) => console.error(`Note: ${line}`),
    workers: given.workers,
  });
  const data = await loadDataset(dataset, options);
  for (const note of data.notes) console.error(`Note: ${note}`);
  return { model, data, settings };
}

async function test(
  { dict, path, config }: Weights,
  data: DatasetSplit,
  given: Given,
): Promise<TestResult> {
  const { classes, channels, height, width } = data.test;
  const network = await networkOf(dict, { ...given, input: [channels, height, width] });
  const { model } = network!;
  checkClasses(path, config?.classes, classes);
  const matched = matchStateDict(model, dict);
  const batch_size = given["batch-size"] ?? config?.batch_size ?? 32;
  const images = {
    ...batchShape(data, batch_size),
    ...normalizeOf(given, config?.normalize ?? data.normalize, channels),
  };
  const backend = await createWasmBackend(
    backendOptions({ ...given, exact: given.exact ?? config?.exact ?? false }),
  );
  try {
    const session = backend.compile({ evaluate: evaluateGraph(model, images) });
    loadStateDict(session, matched);
    const evaluator = createEvaluator(session, { data, batch_size, flip: given.tta ?? false });
    return await evaluateAll(evaluator, given.json ? undefined : createTestReport());
  } finally {
    backend.close();
  }
}

/** Throws where the weights know other classes than the images are of. */
function checkClasses(path: string, known: readonly string[] | undefined, classes: readonly string[]): void {
  if (!known || known.join("\n") === classes.join("\n")) return;
  const shown = (names: readonly string[]) => names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
  throw new UserError(
    `${path}: knows ${known.length} classes (${shown(known)}), and the images are of ${classes.length} (${
      shown(classes)
    })`,
  );
}

interface Facts {
  readonly weights: string;
  readonly model: string;
  readonly output: string;
  readonly files: readonly string[];
}

/** Pairs of classes that are named. */
const PAIRS = 5;

function report(given: Given, facts: Facts, { test }: DatasetSplit, result: TestResult): void {
  const { predictions, loss, accuracy, top5 } = result;
  const matrix = confusionMatrix(predictions, test.classes.length);
  const scores = classScores(matrix, test.classes);
  const macro = macroAverage(scores);
  const calibration = calibrate(predictions);
  const worst = worstConfusions(matrix, test.classes.length, PAIRS)
    .map(({ actual, predicted, count }) => ({
      actual: test.classes[actual]!,
      predicted: test.classes[predicted]!,
      count,
    }));
  if (given.json) {
    const { count: images } = predictions;
    const figures = { loss, accuracy, top5, calibration_error: calibration.error, macro };
    const all = { ...facts, dataset: test.name, images, tta: given.tta ?? false, ...figures };
    console.log(JSON.stringify({ ...all, classes: scores, confused: worst }, null, 2));
    return;
  }
  const rows = scores.map((
    { name, precision, recall, f1, support },
  ) => [name, percent(precision), percent(recall), f1.toFixed(4), String(support)]);
  const total = [
    "mean",
    percent(macro.precision),
    percent(macro.recall),
    macro.f1.toFixed(4),
    String(predictions.count),
  ];
  const table = [["class", "precision", "recall", "F1", "images"], ...rows, total];
  for (const line of alignColumns(table, new Set([1, 2, 3, 4]))) console.log(line);
  if (worst.length > 0) {
    const named = worst.map(({ actual, predicted, count }) => `${actual} taken for ${predicted} (${count})`);
    console.log(`\nMost often confused: ${named.join(", ")}`);
  }
  const more = test.classes.length > 5 ? `, top-5 ${percent(top5)}` : "";
  console.log(`Loss ${loss.toFixed(4)}${more}, calibration error ${percent(calibration.error)}`);
  console.log(`Pictures: ${facts.files.map((file) => join(facts.output, file)).join(", ")}`);
  printAccuracy(accuracy);
}

/** `runs/evaluate-resnet50-digits-20261122-101500` */
function defaultFolder(model: string, dataset: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return join("runs", `evaluate-${shortName(model)}-${dataset}-${time}`);
}

if (import.meta.main) await main(evaluate);
