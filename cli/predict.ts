/** `predict`: what a network takes pictures for. */
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import { photographEvaluation, usualResize } from "../core/data/augmentation.ts";
import type { Size } from "../core/data/transforms/image.ts";
import type { Transform } from "../core/data/transforms/mod.ts";
import { UserError } from "../core/errors.ts";
import { topK } from "../core/metrics/predictions.ts";
import { matchStateDict } from "../core/nn/match_state_dict.ts";
import { type Classifier, createClassifier } from "../core/predict/classifier.ts";
import type { BatchShape } from "../core/train/graphs.ts";
import { makeFolder, readText } from "../host/files.ts";
import { findPictures } from "../host/images/find_pictures.ts";
import { normalizeFor } from "../host/images/image_folder.ts";
import { createImagePool, DamagedImage, type ImagePool } from "../host/images/pool.ts";
import { checkWritable } from "../host/run_folder.ts";
import {
  describeGroups,
  oneOf,
  type Parsed,
  parseFlags,
  splitPositionals,
  switchFlag,
  text,
  whole,
} from "./arguments.ts";
import { backendOptions, exactFlag } from "./backend.ts";
import { main } from "./main.ts";
import { modelFlags, optionFlags } from "./model.ts";
import { type Answer, answersText } from "./answers_text.ts";
import { drawExplanation } from "./explanation.ts";
import { normalizeFlags, normalizeOf } from "./normalize.ts";
import { dataFlags } from "./settings/data.ts";
import { readWeights, type Weights } from "./weights.ts";
import { networkOf } from "./weights_network.ts";

const groups = {
  "The network": {
    model: text("NAME", "what the weights are of; of a run, the run's"),
    input: modelFlags.input,
    classes: text("FILE", "names of the classes, one a line; of a run, the run's"),
    ...optionFlags,
  },
  "The images": {
    "val-resize-size": dataFlags["val-resize-size"],
    "max-megapixels": dataFlags["max-megapixels"],
    ...normalizeFlags,
  },
  "What comes of it": {
    "top-k": whole("classes that are told of each image; 5", { min: 1 }),
    format: oneOf(["text", "json", "csv"] as const, "text, json or csv; text"),
    json: switchFlag("the same as --format json"),
    explain: switchFlag("draws where the network looked (Grad-CAM), a picture each"),
    output: text("FOLDER", "where --explain draws; explanations"),
    exact: exactFlag,
    threads: whole("worker threads; one a core", { min: 1, max: 256 }),
    workers: whole("threads that decode images", { min: 1, max: 64 }),
    help: switchFlag("shows this"),
  },
};

const flags = { ...groups["The network"], ...groups["The images"], ...groups["What comes of it"] };

const EXAMPLES = `Tells what pictures show.

  deno task predict runs/NAME photo.jpg
  deno task predict runs/NAME photos 'more/*.png' --top-k 1 --format csv
  deno task predict squeezenet1_1.safetensors dog.jpg --model squeezenet1_1 --classes imagenet_classes.txt
  deno task predict runs/NAME photo.jpg --explain --output explained

The first name is that of the weights: a run's folder, a checkpoint, or any file that deno task convert reads.
Files that cannot be decoded are named, and the exit code is then 1.`;

type Given = Parsed<typeof flags>;

/** Images that go through the network at once. */
const BATCH = 16;
/** Smaller images are whole pictures, not photographs of which the middle is taken. */
const PHOTOGRAPH = 64;

/** Runs the command; returns its exit code. */
export async function predict(args: readonly string[]): Promise<number> {
  const { positionals: [path, ...names], rest } = splitPositionals(flags, args);
  const given = parseFlags(flags, rest);
  if (given.help) {
    console.log([EXAMPLES, ...describeGroups(groups)].join("\n"));
    return 0;
  }
  if (path === undefined || names.length === 0) {
    throw new UserError("predict needs weights and pictures: deno task predict WEIGHTS FILE…; see --help");
  }
  if (given.json && given.format && given.format !== "json") {
    throw new UserError(`--json and --format ${given.format}: choose one`);
  }
  if (given.output !== undefined && !given.explain) {
    throw new UserError("--output has no effect without --explain");
  }
  const files = await findPictures(names);
  const weights = await readWeights(path);
  const folder = given.explain ? given.output ?? "explanations" : undefined;
  if (folder !== undefined) {
    await checkWritable(folder);
    await makeFolder(folder);
  }
  const answers = await answer(weights, files, given, folder);
  console.log(answersText(answers, given.json ? "json" : given.format ?? "text"));
  const bad = answers.filter((answer) => "error" in answer);
  for (const { file, error } of bad) console.error(`${file}: cannot be decoded (${error})`);
  if (bad.length === 0) return 0;
  console.error(`${bad.length} of ${answers.length} files cannot be decoded`);
  return 1;
}

async function answer(
  { dict, path, config }: Weights,
  files: readonly string[],
  given: Given,
  folder: string | undefined,
): Promise<Answer[]> {
  const network = await networkOf(dict, given);
  if (!network) {
    throw new UserError(`${path}: it does not say what its weights are of: name the network with --model`);
  }
  const { model, name, input: [channels, height, width] } = network;
  const matched = matchStateDict(model, dict);
  const batch = Math.min(BATCH, files.length);
  const usual = config?.normalize ?? normalizeFor(channels);
  const images = { batch, height, width, channels, ...normalizeOf(given, usual, channels) };
  const backend = await createWasmBackend(backendOptions(given));
  const pool = createImagePool(given.workers);
  try {
    const classifier = createClassifier(backend, model, images, matched);
    const names = await classNames(given, config?.classes, classifier.classes);
    if (folder !== undefined && !classifier.explain) {
      throw new UserError(`--explain: ${name} has no feature map that could be shown`);
    }
    const job = {
      channels,
      maxPixels: (given["max-megapixels"] ?? 100) * 1e6,
      transforms: transformsOf(given, [height, width], config),
      whole: true,
      at: undefined,
    };
    const answers: Answer[] = [];
    let next = loadSome(pool, files.slice(0, batch), job);
    for (let from = 0; from < files.length; from += batch) {
      const loaded = await next;
      // While the network looks at these, the next ones are decoded.
      next = loadSome(pool, files.slice(from + batch, from + 2 * batch), job);
      answers.push(...await look(classifier, images, loaded, names, given["top-k"] ?? 5, folder));
    }
    return answers;
  } finally {
    pool.close();
    backend.close();
  }
}

type Loaded = { readonly file: string } & ({ readonly pixels: Uint8Array } | { readonly error: string });

function loadSome(
  pool: ImagePool,
  files: readonly string[],
  job: Omit<Parameters<ImagePool["load"]>[0], "path">,
): Promise<Loaded[]> {
  return Promise.all(files.map(async (file) => {
    try {
      return { file, pixels: await pool.load({ ...job, path: file }) };
    } catch (error) {
      if (error instanceof DamagedImage) return { file, error: error.message };
      throw error;
    }
  }));
}

/** As the run saw its test images, or else as torchvision's networks do. */
function transformsOf(
  given: Given,
  size: Size,
  config: Weights["config"],
): readonly Transform[] {
  const photographs = config?.dataset ? config.dataset === "folder" : Math.min(...size) >= PHOTOGRAPH;
  const resize = given["val-resize-size"] ?? (config?.val_resize_size || undefined);
  if (!photographs && resize === undefined) return [{ name: "Resize", size }];
  return photographEvaluation(size, resize ?? usualResize(size));
}

async function classNames(
  { classes: file }: Given,
  known: readonly string[] | undefined,
  count: number,
): Promise<readonly string[]> {
  if (file === undefined) return known ?? Array.from({ length: count }, (_, i) => `class ${i}`);
  const names = (await readText(file)).split(/\r?\n/).map((name) => name.trim());
  while (names.at(-1) === "") names.pop();
  if (names.length === count) return names;
  throw new UserError(
    `--classes ${file}: has ${names.length} names, and the network tells ${count} classes apart`,
  );
}

/** What a batch shows; with a folder, explained there. */
async function look(
  { classes, probabilities, explain }: Classifier,
  images: BatchShape,
  loaded: readonly Loaded[],
  names: readonly string[],
  k: number,
  folder: string | undefined,
): Promise<Answer[]> {
  const { batch, height, width, channels } = images;
  const size = height * width * channels;
  const pixels = new Uint8Array(batch * size);
  loaded.forEach((one, slot) => "pixels" in one && pixels.set(one.pixels, slot * size));
  const found = await probabilities(pixels);
  const tops = found.map((values) => topK(values, Math.min(k, classes)));
  const evidence = folder === undefined ? [] : await explain!(pixels, tops.map(([first]) => first!));
  const answers: Answer[] = [];
  for (const [slot, one] of loaded.entries()) {
    const { file } = one;
    if ("error" in one) {
      answers.push({ file, error: one.error });
      continue;
    }
    const predictions = tops[slot]!.map((index) => ({
      class: names[index]!,
      index,
      probability: found[slot]![index]!,
    }));
    if (folder === undefined) answers.push({ file, predictions });
    else {
      const image = { width, height, channels, data: one.pixels };
      const explanation = await drawExplanation(folder, file, image, evidence[slot]!, predictions[0]!);
      answers.push({ file, predictions, explanation });
    }
  }
  return answers;
}

if (import.meta.main) await main(predict);
