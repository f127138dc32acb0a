/** `evaluate`: how good weights are on images, as a run's own test tells it, and class by class. */
import { resolve } from "node:path";
import type { DatasetSplit } from "../core/data/dataset.ts";
import { relabel } from "../core/data/relabel.ts";
import type { Transform } from "../core/data/transforms/mod.ts";
import { isDetectionModel } from "../core/detect/model.ts";
import { UserError } from "../core/errors.ts";
import { preparationOf } from "../core/predict/preparation.ts";
import { matchStateDict } from "../core/nn/match_state_dict.ts";
import {
  classification,
  type ClassificationResult,
  testTimeAugmentations,
} from "../core/train/classification.ts";
import { batchShape } from "../core/train/run_graphs.ts";
import { isDownloaded, loadDataset } from "../host/datasets.ts";
import { checkNewResults, saveResults } from "../host/evaluation_folder.ts";
import type { DamagedFile } from "../host/images/damaged.ts";
import {
  describeGroups,
  oneOf,
  type Parsed,
  parseFlags,
  real,
  splitPositionals,
  switchFlag,
  text,
  whole,
} from "./arguments.ts";
import { machineFlags, workersFor } from "./backend.ts";
import { evaluateBoxes } from "./evaluate_boxes.ts";
import { evaluationData, evaluationText, type Tested } from "./evaluation_report.ts";
import { main } from "./main.ts";
import { ownTestOf, testedAsRun } from "./own_test.ts";
import { whileReading } from "./progress.ts";
import { checkData, dataDefaults, dataFlags, loadOptions } from "./settings/data.ts";
import { generalFlags } from "./settings/settings.ts";
import { subjectFlags } from "./settings/subject.ts";
import { normaliseFlags, normaliseOf, weightsFlagsFor } from "./settings/weights.ts";
import { testWeights } from "./test_weights.ts";
import { classNames, readWeights, RIGHT_MODEL, type Weights } from "./weights.ts";
import { type KnownRun, networkOf } from "./weights_network.ts";
import { shortName } from "./model.ts";

/** Images at once, where neither flags nor the run say. */
const BATCH = 64;

const groups = {
  "The weights": weightsFlagsFor("classifier", "detector"),
  "The images": {
    dataset: subjectFlags.dataset,
    data: subjectFlags.data,
    split: text("NAME", "detectors: the list or folder of images (val, test, …); default as in a run"),
    input: dataFlags.input,
    "val-split": dataFlags["val-split"],
    seed: generalFlags.seed,
    "val-resize-size": dataFlags["val-resize-size"],
    ...normaliseFlags,
    "bad-images": dataFlags["bad-images"],
    "max-megapixels": dataFlags["max-megapixels"],
  },
  "What is told": {
    iou: real("detectors: from which IoU on a box is right; 0.5", { min: 0, above: true, max: 1 }),
    tta: {
      ...oneOf(testTimeAugmentations, "averages over mirror images (flip), or photographs' ten crops"),
      value: "[flip|ten-crop]",
      bare: "flip",
    },
    "limit-batches": whole("tests on so many batches, from all over the data; the run's, 0: all", { min: 0 }),
    output: text("FOLDER", "writes pictures and tables, as a run's folder has"),
    json: switchFlag("prints JSON, and nothing else"),
    help: switchFlag("shows this"),
  },
  "The machine": {
    "batch-size": whole("images at once; the run's, or 64", { min: 1 }),
    ...machineFlags,
  },
};

export const evaluateFlags = {
  ...groups["The weights"],
  ...groups["The images"],
  ...groups["What is told"],
  ...groups["The machine"],
};

const EXAMPLES = `Tests weights: deno task evaluate WEIGHTS, a run's folder or a file of any format.

  deno task evaluate runs/NAME                  on the images that the run was tested on
  deno task evaluate runs/NAME --data photos --output results
  deno task evaluate resnet20.th --model resnet20 --dataset cifar10 --data ~/cifar10
  deno task evaluate net.safetensors --model squeezenet1_1 --data photos \\
    --classes imagenet_classes.txt --tta --json
  deno task evaluate runs/DETECTOR --data VOC2007 --split test --iou 0.75 --output results`;

const NOTES = `
A run's folder stands for its best weights. What the file does not say, flags
say; images are prepared and normalised as in the run, where it is one, and on
its own data it is tested as it was: on the few images of --overfit-batches, on
as many as --limit-batches left.
Folders of images are tested by their val/ or test/, or as a whole where they
have neither and the run was trained on others. Their classes are found by name.
A folder without the run's own data set is one of photographs, for what has
learnt CIFAR-10, too.
Detectors are judged by PASCAL VOC's rules: objects marked difficult do not
count. In the folder are also COCO's files, of results and of what is there.`;

export type EvaluateFlags = Parsed<typeof evaluateFlags>;

/** Runs the command; returns its exit code. */
export async function evaluate(args: readonly string[]): Promise<number> {
  const { positionals: [path, ...more], rest } = splitPositionals(evaluateFlags, args);
  const given = parseFlags(evaluateFlags, rest);
  if (given.help) {
    console.log([EXAMPLES, ...describeGroups(groups), NOTES].join("\n"));
    return 0;
  }
  if (path === undefined) throw new UserError("evaluate needs weights: a run's folder or a file; see --help");
  const afterTta = args[args.indexOf("--tta") + 1];
  // `--tta` may stand alone, so that what it does not know looks like weights.
  if (more.length > 0 && given.tta && more.includes(afterTta!)) evaluateFlags.tta.parse(afterTta!, "--tta");
  if (more.length > 0) {
    throw new UserError(`"${more[0]}" is one too many: deno task evaluate WEIGHTS; see --help`);
  }
  const { output } = given;
  if (output !== undefined) await checkNewResults(output);
  const weights = await readWeights(path, given);
  const names = await classNames(given.classes, weights);
  if (isDetectionModel(weights.network.model)) return await evaluateBoxes(weights, names, given);
  const idle = (["iou", "split"] as const).find((flag) => given[flag] !== undefined);
  if (idle !== undefined) {
    throw new UserError(`--${idle} has no effect on ${shortName(weights.network.name)}: it is for detectors`);
  }
  const damaged: DamagedFile[] = [];
  const data = await loadImages(weights, given, (file) => damaged.push(file));
  try {
    const fitted = await fit(weights, data, given);
    const labelled = withNames(data, names, weights);
    const result = await test(weights, fitted, labelled, given);
    const about: Tested = {
      weights: weights.dict.file,
      model: shortName(weights.network.name),
      tta: given.tta ?? false,
    };
    const report = { ...evaluationData(about, labelled.test, result), damaged };
    const title = `${about.model} on ${labelled.test.name}`;
    const files = output === undefined ? [] : await saveResults(output, title, labelled.test, result, report);
    if (given.json) console.log(JSON.stringify(report, null, 2));
    else {
      console.log(evaluationText(about, labelled.test, result));
      if (files.length > 0) console.error(`Wrote ${files.join(", ")} in ${output}`);
    }
    return 0;
  } finally {
    data.close?.();
  }
}

/** The images that flags name, or those that the run was tested on. */
async function loadImages(
  { run, network, dict }: Weights,
  given: EvaluateFlags,
  onDamaged: (file: DamagedFile) => void,
): Promise<DatasetSplit> {
  const dataset = given.dataset ?? await usualDataset(run, given.data);
  if (dataset === undefined) {
    throw new UserError(`${dict.file}: it does not say what to test it on: name --dataset or --data`);
  }
  const data = given.data ?? (dataset === run?.dataset ? run?.data : undefined) ?? "data";
  const seen = dataset === run?.dataset && resolve(data) === resolve(run.data ?? "data");
  const settings = {
    ...dataDefaults(dataset),
    input: given.input ?? run?.shape ?? [],
    val_split: given["val-split"] ?? (seen ? run?.val_split : undefined) ?? 0,
    val_resize_size: given["val-resize-size"] ?? run?.val_resize_size ?? 0,
    bad_images: given["bad-images"] ?? run?.bad_images ?? "skip",
    max_megapixels: given["max-megapixels"] ?? run?.max_megapixels ?? 100,
    no_aug: true,
    seed: given.seed ?? (seen ? run?.seed : undefined) ?? 0,
    dataset,
    data,
  } as const;
  checkData(settings, given);
  const note = (line: string) => console.error(`Note: ${line}`);
  if (given.tta && settings.hflip === 0) {
    throw new UserError(`--tta is not for ${dataset}: mirrored digits are no digits`);
  }
  const input = (settings.input.length > 0 ? settings.input : network.input) as [number, number, number];
  const evaluation = preparationOf(input, run, given["val-resize-size"]);
  if (given.tta === "ten-crop") checkTenCrop(settings, input, evaluation);
  if (given.tta && run?.hflip === 0 && !run.no_aug) {
    note("the run never saw mirrored images (--hflip 0); --tta mirrors these");
  }
  const own = seen ? ownTestOf(run, given) : undefined;
  const testOnly = own?.overfit_batches ? undefined : seen ? "seen" : "new";
  const workers = await workersFor(given);
  const loaded = await whileReading((shown) => {
    const rest = { note, onDamaged, workers, ...shown };
    const options = loadOptions(settings, network.input as [number, number, number], rest);
    return loadDataset(dataset, { ...options, folder: { ...options.folder, testOnly, evaluation } });
  });
  loaded.notes.forEach(note);
  const split = own ? testedAsRun(loaded, own, note) : loaded;
  const { channels, height, width } = split.test;
  const [wanted] = network.input;
  if (channels !== wanted) {
    split.close?.();
    throw new UserError(
      `${dict.file}: its weights are for images of ${wanted} channels, not ${channels}; ` +
        `--input ${wanted}x${height}x${width} turns them into such`,
    );
  }
  const usualNormalize = run?.normalize?.mean.length === channels ? run.normalize : split.normalize;
  return { ...split, normalize: normaliseOf(given, channels, usualNormalize) };
}

/** What is tested on where nobody says: the run's data set, unless a folder is named that has images of one's own. */
async function usualDataset(
  run: KnownRun | undefined,
  data: string | undefined,
): Promise<string | undefined> {
  const own = run?.dataset;
  if (data === undefined) return own;
  if (own === undefined || own === "digits") return "folder"; // Digits lie in none.
  const isSame = run?.data !== undefined && resolve(data) === resolve(run.data);
  return isSame || await isDownloaded(own, data) ? own : "folder";
}

/** Throws where there are no ten crops: of images that are not larger than what the network takes. */
function checkTenCrop(
  { dataset, val_resize_size }: { readonly dataset: string; readonly val_resize_size: number },
  [, ...size]: readonly [number, number, number],
  evaluation: readonly Transform[],
): void {
  if (dataset !== "folder") {
    throw new UserError(
      `--tta ten-crop is for photographs; ${dataset} has images of one size: take --tta flip`,
    );
  }
  if (!evaluation.some(({ name }) => name === "CenterCrop")) {
    throw new UserError(
      "--tta ten-crop: these weights see images whole; --val-resize-size leaves something to crop",
    );
  }
  const side = Math.max(...size);
  if (val_resize_size > 0 && val_resize_size < side) {
    throw new UserError(
      `--tta ten-crop: --val-resize-size ${val_resize_size} leaves no ${side} pixels to crop; make it larger`,
    );
  }
}

/** The images with labels as the weights' scores have them. */
function withNames(
  data: DatasetSplit,
  names: readonly string[] | undefined,
  { num_classes, dict }: Weights,
): DatasetSplit {
  const test = names ? relabel(data.test, names) : data.test;
  if (test.classes.length === num_classes) return { ...data, test };
  throw new UserError(
    `${dict.file}: scores ${num_classes} classes, and ${test.name} has ${test.classes.length}; ` +
      "--classes names those of the weights",
  );
}

/** The network for these images, with its weights. */
async function fit({ dict }: Weights, { test }: DatasetSplit, given: EvaluateFlags) {
  const { channels, height, width } = test;
  const { model } = (await networkOf(dict, { ...given, input: [channels, height, width] }))!;
  return { model, matched: matchStateDict(model, dict, { advice: RIGHT_MODEL }) };
}

async function test(
  weights: Weights,
  fitted: Awaited<ReturnType<typeof fit>>,
  data: DatasetSplit,
  given: EvaluateFlags,
): Promise<ClassificationResult> {
  const batch_size = Math.min(given["batch-size"] ?? weights.run?.batch_size ?? BATCH, data.test.count);
  const images = batchShape({ ...data, train: data.test }, batch_size);
  const task = classification({ tta: given.tta });
  const limit_batches = given["limit-batches"] ?? 0;
  return await testWeights(weights, { ...fitted, data, images, task, limit_batches }, given);
}

if (import.meta.main) await main(evaluate);
