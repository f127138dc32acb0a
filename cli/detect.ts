/** `detect`: what is where on image files, drawn on them. */
import type { Backend } from "../core/backend/backend.ts";
import { type DetectOptions, SHOWN } from "../core/detect/detect.ts";
import type { DetectionModel } from "../core/detect/model.ts";
import { UserError } from "../core/errors.ts";
import { loadStateDict, matchStateDict } from "../core/nn/match_state_dict.ts";
import { evaluationOf } from "../core/predict/preparation.ts";
import { createDetector, type Detector } from "../core/predict/detector.ts";
import type { DetectionFolder, Wanted } from "../host/detection/folder.ts";
import { findImageFiles } from "../host/images/find.ts";
import { prepareBatches } from "../host/images/load.ts";
import { createImagePool } from "../host/images/pool.ts";
import {
  describeGroups,
  type Parsed,
  parseFlags,
  real,
  splitPositionals,
  switchFlag,
  text,
  whole,
} from "./arguments.ts";
import { machineFlags, workersFor } from "./backend.ts";
import { decodedBatches, endOf } from "./decoded.ts";
import { type DetectionWriter, jsonWriter, textWriter } from "./detection_writer.ts";
import { main } from "./main.ts";
import { shortName } from "./model.ts";
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

const groups = {
  "The weights": {
    weights: text("PATH", "a run's folder, which stands for its best weights, or a file of any format"),
    ...weightsFlagsFor("detector"),
  },
  "The images": {
    input: dataFlags.input,
    ...normaliseFlags,
    "max-megapixels": dataFlags["max-megapixels"],
  },
  "What counts": {
    conf: real(`least confidence; ${SHOWN.conf_threshold}`, { min: 0, max: 1 }),
    iou: real(
      `of two boxes of a class with a greater IoU the better one stays; ${SHOWN.iou_threshold}`,
      { min: 0, max: 1 },
    ),
    "max-det": whole(`most boxes on an image; ${SHOWN.max_detections}`, { min: 1 }),
  },
  "What is told": {
    output: text("FOLDER", "a new one for the pictures; detected, or the next that is free: detected-2"),
    "save-txt": switchFlag("YOLO's label files as well, with confidences"),
    crop: switchFlag("what is in each box as well, a folder a class"),
    "no-pictures": switchFlag("draws nothing"),
    json: switchFlag("prints JSON, and nothing else"),
    help: switchFlag("shows this"),
  },
  "The machine": {
    "batch-size": whole("images at once; 8", { min: 1 }),
    ...machineFlags,
  },
};

export const detectFlags = {
  ...groups["The weights"],
  ...groups["The images"],
  ...groups["What counts"],
  ...groups["What is told"],
  ...groups["The machine"],
};

const EXAMPLES = `Finds things on images and draws their boxes: deno task detect FILES, FOLDERS or PATTERNS.

  deno task detect photo.jpg --weights runs/NAME
  deno task detect photos 'more/**/*.jpg' --weights runs/NAME --conf 0.4 --output found
  deno task detect photos --weights runs/NAME --json --no-pictures > boxes.json
  deno task detect photos --weights yolo.safetensors --model yolov1 --classes voc.names`;

const NOTES = `
Your images stay as they are. --save-txt writes labels as detectors are trained
on, --crop folders of images as classifiers are.
Exit codes: 0 done, 1 Strata's fault, 2 a mistake in what was asked, 4 some
files could not be decoded; all others were.`;

const BATCH = 8;
const FOLDER = "detected";

type Given = Parsed<typeof detectFlags>;

/** Runs the command; returns its exit code. */
export async function detect(args: readonly string[]): Promise<number> {
  const { positionals: named, rest } = splitPositionals(detectFlags, args);
  const given = parseFlags(detectFlags, rest);
  if (given.help) {
    console.log([EXAMPLES, ...describeGroups(groups), NOTES].join("\n"));
    return 0;
  }
  if (given.weights === undefined) {
    throw new UserError("detect needs --weights: a run's folder or a file; see --help");
  }
  if (named.length === 0) {
    throw new UserError("detect needs images: deno task detect FILES --weights PATH; see --help");
  }
  const wanted: Wanted = {
    pictures: !given["no-pictures"],
    labels: given["save-txt"] ?? false,
    crops: given.crop ?? false,
  };
  if (given.output !== undefined && !Object.values(wanted).includes(true)) {
    throw new UserError("--output has no effect with --no-pictures: leave one of them out");
  }
  const files = await findImageFiles(named);
  const weights = await readWeights(given.weights, given, "detector");
  const names = await classNames(given.classes, weights);
  const openFolder = await folderFor(wanted, names, given);
  const options = optionsOf(given);
  const nameOf = (label: number) => names?.[label] ?? `class ${label}`;
  const model = shortName(weights.network.name);
  const writer = given.json
    ? jsonWriter(nameOf, { weights: weights.dict.file, model, ...options })
    : textWriter(nameOf);
  const damaged = await detectAll({ files, weights, openFolder, options }, given, writer);
  writer.finish();
  return endOf(damaged, files.length);
}

function optionsOf(given: Given): DetectOptions {
  return {
    conf_threshold: given.conf ?? SHOWN.conf_threshold,
    iou_threshold: given.iou ?? SHOWN.iou_threshold,
    max_detections: given["max-det"] ?? SHOWN.max_detections,
  };
}

/** What makes the folder for what is wanted, where anything is. Throws at once where it cannot be written. */
async function folderFor(
  wanted: Wanted,
  names: readonly string[] | undefined,
  given: Given,
): Promise<(() => Promise<DetectionFolder>) | undefined> {
  if (!Object.values(wanted).includes(true)) return undefined;
  const { createDetectionFolder, freeFolder } = await import("../host/detection/folder.ts");
  const makeFree = await freeFolder(given.output, FOLDER);
  return async () => createDetectionFolder(await makeFree(), names, wanted);
}

interface Question {
  readonly files: readonly string[];
  readonly weights: Weights;
  readonly openFolder: (() => Promise<DetectionFolder>) | undefined;
  readonly options: DetectOptions;
}

/** Looks at all files. Returns how many could not be decoded. */
async function detectAll(
  { files, weights, openFolder, options }: Question,
  given: Given,
  writer: DetectionWriter,
): Promise<number> {
  const { readSize } = await import("../host/images/decode.ts");
  const batch = Math.min(given["batch-size"] ?? BATCH, files.length);
  const backend = await startBackend(weights, given);
  const pool = createImagePool(await workersFor(given));
  let damaged = 0;
  try {
    const detector = await loadDetector(weights, backend, batch, given);
    const folder = await openFolder?.();
    const input = weights.network.input as [number, number, number];
    const prepared = prepareBatches(files, batch, pool, {
      input,
      transforms: evaluationOf(input, "whole"),
      maxPixels: 1e6 * (given["max-megapixels"] ?? weights.run?.max_megapixels ?? 100),
    });
    for await (const { good, bad } of decodedBatches(prepared)) {
      damaged += bad.length;
      bad.forEach(({ path, damaged }) => writer.damaged(path, damaged));
      if (good.length === 0) continue;
      const sizes = await Promise.all(good.map(({ path }) => readSize(path)));
      const found = await detector.detect(good.map(({ image }) => image), { ...options, sizes });
      for (const [i, { path }] of good.entries()) {
        const { width, height } = sizes[i]!;
        // A network's answers have no bounds.
        const detections = found[i]!.map((one) => ({ ...one, score: Math.min(one.score, 1) }));
        const saved = await folder?.save(path, { width, height }, detections);
        writer.found({ file: path, width, height, detections, ...saved });
      }
    }
    return damaged;
  } finally {
    pool.close();
    backend.close();
  }
}

/** A detector with the weights in it. */
async function loadDetector(
  weights: Weights,
  backend: Backend,
  batch: number,
  given: Given,
): Promise<Detector> {
  const { dict, network } = weights;
  const model = network.model as DetectionModel;
  const matched = matchStateDict(model, dict, { advice: RIGHT_MODEL });
  const images = imagesFor(weights, batch, given);
  const detector = await withinMemory(batch, () => createDetector({ backend, model, images }));
  loadStateDict(detector.session, matched);
  return detector;
}

if (import.meta.main) await main(detect);
