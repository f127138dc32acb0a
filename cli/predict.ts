/** `predict`: what a network sees on image files, and, on request, where. */
import type { Backend } from "../core/backend/backend.ts";
import type { Image } from "../core/data/transforms/image.ts";
import { UserError } from "../core/errors.ts";
import { topK } from "../core/metrics/predictions.ts";
import { loadStateDict, matchStateDict } from "../core/nn/match_state_dict.ts";
import { createPredictor, type Predictor } from "../core/predict/predictor.ts";
import { preparationOf } from "../core/predict/preparation.ts";
import { findImageFiles } from "../host/images/find.ts";
import { prepareBatches, type PrepareOptions } from "../host/images/load.ts";
import { createImagePool } from "../host/images/pool.ts";
import { checkWritable } from "../host/run_folder.ts";
import { statIfThere } from "../host/files.ts";
import {
  describeGroups,
  type Flag,
  type Parsed,
  parseFlags,
  splitPositionals,
  switchFlag,
  text,
  whole,
} from "./arguments.ts";
import { machineFlags, workersFor } from "./backend.ts";
import { decodedBatches, endOf } from "./decoded.ts";
import { shortName } from "./model.ts";
import { main } from "./main.ts";
import { type Answered, createWriter, type Writer } from "./prediction_writer.ts";
import { dataFlags } from "./settings/data.ts";
import { normaliseFlags, weightsFlagsFor } from "./settings/weights.ts";
import {
  classNames,
  imagesFor,
  readWeights,
  RIGHT_MODEL,
  startBackend,
  type Weights,
  withinMemory,
} from "./weights.ts";

const explain: Flag<string> = {
  ...text("[FOLDER]", "draws where the network looks (Grad-CAM); in explained/"),
  bare: "explained",
};

const groups = {
  "The weights": weightsFlagsFor("classifier"),
  "The images": {
    input: dataFlags.input,
    "val-resize-size": dataFlags["val-resize-size"],
    ...normaliseFlags,
    "max-megapixels": dataFlags["max-megapixels"],
  },
  "What is told": {
    "top-k": whole("likeliest classes that are shown; 5", { min: 1 }),
    json: switchFlag("prints JSON, and nothing else"),
    csv: switchFlag("prints CSV: file, rank, class, index, probability"),
    explain,
    help: switchFlag("shows this"),
  },
  "The machine": {
    "batch-size": whole("images at once; 16", { min: 1 }),
    ...machineFlags,
  },
};

export const predictFlags = {
  ...groups["The weights"],
  ...groups["The images"],
  ...groups["What is told"],
  ...groups["The machine"],
};

const EXAMPLES = `Says what is on images: deno task predict WEIGHTS FILES, FOLDERS or PATTERNS.

  deno task predict runs/NAME photo.jpg
  deno task predict runs/NAME photos 'more/**/*.jpg' --top-k 1 --csv > answers.csv
  deno task predict squeezenet.safetensors --model squeezenet1_1 dog.jpg \\
    --classes imagenet_classes.txt
  deno task predict runs/NAME photo.jpg --explain`;

const NOTES = `
A run's folder stands for its best weights. Images are prepared as the run's
tests did; for other weights as torchvision does for ImageNet.
Exit codes: 0 done, 1 Strata's fault, 2 a mistake in what was asked, 4 some
files could not be decoded; all others were.`;

type Given = Parsed<typeof predictFlags>;

/** Runs the command; returns its exit code. */
export async function predict(args: readonly string[]): Promise<number> {
  const { positionals: [path, ...named], rest } = splitPositionals(predictFlags, args);
  const given = parseFlags(predictFlags, rest);
  if (given.help) {
    console.log([EXAMPLES, ...describeGroups(groups), NOTES].join("\n"));
    return 0;
  }
  if (path === undefined) throw new UserError("predict needs weights, a run's folder or a file; see --help");
  if (given.json && given.csv) throw new UserError("--json and --csv: choose one");
  if (given.explain !== undefined) await checkFolder(given.explain);
  if (named.length === 0) {
    throw new UserError("predict needs images: deno task predict WEIGHTS FILES; see --help");
  }
  const files = await findImageFiles(named);
  const weights = await readWeights(path, given, "classifier");
  const names = await classNames(given.classes, weights);
  const answering = { weights: weights.dict.file, model: shortName(weights.network.name) };
  const format = given.json ? "json" : given.csv ? "csv" : "text";
  const writer = createWriter(format, answering, given.explain !== undefined);
  const damaged = await answerAll({ files, weights, names }, given, writer);
  writer.finish();
  return endOf(damaged, files.length);
}

/** A folder's name may be left out, but not where it would be taken for the name of an image. */
async function checkFolder(folder: string): Promise<void> {
  const info = await statIfThere(folder);
  if (info && !info.isDirectory) {
    throw new UserError(`--explain ${folder}: not a folder to draw into; put --explain last, or name one`);
  }
  await checkWritable(folder, "--explain");
}

interface Question {
  readonly files: readonly string[];
  readonly weights: Weights;
  readonly names: readonly string[] | undefined;
}

/** Asks about all files. Returns how many could not be decoded. */
async function answerAll({ files, weights, names }: Question, given: Given, writer: Writer): Promise<number> {
  const batch = Math.min(given["batch-size"] ?? 16, files.length);
  const backend = await startBackend(weights, given);
  const pool = createImagePool(await workersFor(given));
  let damaged = 0;
  try {
    const predictor = await loadPredictor(weights, backend, batch, given);
    const draw = given.explain === undefined ? undefined : await createDrawing(given.explain);
    const prepared = prepareBatches(files, batch, pool, preparation(weights, given));
    for await (const { good, bad } of decodedBatches(prepared)) {
      damaged += bad.length;
      bad.forEach(({ path, damaged }) => writer.damaged(path, damaged));
      if (good.length === 0) continue;
      const images = good.map(({ image }) => image);
      const probabilities = await predictor.predict(images);
      const answers = good.map(({ path }, i): Answered => ({
        file: path,
        predictions: topK(probabilities[i]!, given["top-k"] ?? 5).map((index) => ({
          class: names?.[index] ?? `class ${index}`,
          index,
          probability: probabilities[i]![index]!,
        })),
      }));
      const pictures = await draw?.(predictor, images, answers);
      answers.forEach((answer, i) => {
        writer.answer(pictures ? { ...answer, explanation: pictures[i]! } : answer);
      });
    }
    return damaged;
  } finally {
    pool.close();
    backend.close();
  }
}

/** What draws where the network sees each image's likeliest class; tells where the pictures are. */
async function createDrawing(folder: string) {
  const { openExplanationFolder } = await import("../host/explanation.ts");
  const { draw } = await openExplanationFolder(folder);
  return async (predictor: Predictor, images: readonly Image[], answers: readonly Answered[]) => {
    const classes = answers.map(({ predictions: [first] }) => first!.index);
    const activations = await predictor.explain(images, classes);
    return await Promise.all(
      answers.map((answer, i) => draw({ ...answer, image: images[i]!, activation: activations[i]! })),
    );
  };
}

/** What is done to files before the network sees them: as in the run's tests, or as torchvision does for ImageNet. */
function preparation({ run, network }: Weights, given: Given): PrepareOptions {
  const { input } = network;
  const transforms = preparationOf(input, run, given["val-resize-size"]);
  return { input, transforms, maxPixels: 1e6 * (given["max-megapixels"] ?? run?.max_megapixels ?? 100) };
}

/** A predictor with the weights in it. */
async function loadPredictor(
  weights: Weights,
  backend: Backend,
  batch: number,
  given: Given,
): Promise<Predictor> {
  const { dict, network: { model } } = weights;
  const matched = matchStateDict(model, dict, { advice: RIGHT_MODEL });
  const images = imagesFor(weights, batch, given);
  const explain = given.explain !== undefined;
  const predictor = await withinMemory(batch, () => createPredictor({ backend, model, images, explain }));
  loadStateDict(predictor.session, matched);
  return predictor;
}

if (import.meta.main) await main(predict);
