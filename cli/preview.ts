/** `preview`: what a network will see in training, as a picture to look at before the training begins. */
import { extname } from "node:path";
import { allocateBatch, type Batch, DOES_NOT_COUNT, MOVES } from "../core/data/batches.ts";
import { type Dataset, imageBytes, type ImageSet, type Moment } from "../core/data/dataset.ts";
import type { DetectionDataset } from "../core/data/detection/dataset.ts";
import { crop, flipHorizontally } from "../core/data/transforms/crop.ts";
import type { Marked } from "../core/detect/overlay.ts";
import { UserError } from "../core/errors.ts";
import { DOES_NOT_COUNT as NO_BOXES_COUNT } from "../core/ops/yolo_loss.ts";
import { counting } from "../core/train/task.ts";
import { drawMix, mixed, type MixOptions } from "../core/train/mix.ts";
import { permutation } from "../core/random.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import type { SheetImage } from "../host/images/contact_sheet.ts";
import { loadAnyDataset } from "../host/datasets.ts";
import { describeGroups, type Parsed, parseFlags, switchFlag, text, whole } from "./arguments.ts";
import { main } from "./main.ts";
import { checkKind, mapOf, modelEntry } from "./model.ts";
import { datasetOf } from "./named_data.ts";
import { whileReading } from "./progress.ts";
import { recipeFile } from "./recipes.ts";
import { readConfig } from "./settings/config_file.ts";
import { checkData, dataDefaults, dataFlags, type DataSettings, loadOptions } from "./settings/data.ts";
import { checkDetection } from "./settings/detection.ts";
import { regulariseFlags } from "./settings/regularise.ts";
import { generalFlags, settingOf } from "./settings/settings.ts";
import { subjectFlags } from "./settings/subject.ts";
import { trainFlags } from "./train_flags.ts";

const groups = {
  "What to look at": {
    ...subjectFlags,
    seed: generalFlags.seed,
    recipe: trainFlags.recipe,
    config: trainFlags.config,
  },
  "The images": { ...dataFlags, mixup: regulariseFlags.mixup, cutmix: regulariseFlags.cutmix },
  "The picture": {
    count: whole("images, one a row; default 8", { min: 1, max: 64 }),
    epochs: whole("epochs, one a column, each with its own random transforms; default 6", {
      min: 1,
      max: 24,
    }),
    output: text("FILE", "a .png; default preview.png"),
    help: switchFlag("shows this"),
  },
};

export const previewFlags = {
  ...groups["What to look at"],
  ...groups["The images"],
  ...groups["The picture"],
};

type Given = Parsed<typeof previewFlags>;

const EXAMPLES = `Draws some training images as the network gets them: unvaried, then as in the first epochs.

  deno task preview --data photos --rand-augment on
  deno task preview --data photos --recipe finetune
  deno task preview --data photos --mixup 0.2 --cutmix 1    who is mixed with whom, and how much
  deno task preview --dataset cifar10 --random-erase 0.5 --output cifar.png
  deno task preview --model yolov1 --data VOCdevkit/VOC2007      with their boxes`;

/** Lines below an image that is mixed with another. */
const CAPTIONS = 2;

/** Runs the command; returns its exit code. */
export async function preview(args: readonly string[]): Promise<number> {
  const flags = parseFlags(previewFlags, args, ["no-aug"]);
  if (flags.help) {
    console.log([EXAMPLES, ...describeGroups(groups)].join("\n"));
    return 0;
  }
  const files = await fromFiles(flags);
  const given = { ...files, ...flags };
  const { mixup = 0, cutmix = 0 } = given;
  const { count = 8, epochs = 6, output = "preview.png", seed = 0 } = given;
  if (extname(output).toLowerCase() !== ".png") throw new UserError(`--output ${output}: must end in .png`);
  const model = given.model ?? (given.dataset === "boxes" ? "yolov1" : "resnet50");
  const entry = await modelEntry(model, flags, given.config);
  const map = mapOf(entry, {}, given.input);
  const dataset = await datasetOf(files, flags) ??
    (map ? "boxes" : given.data === undefined ? "digits" : "folder");
  const settings = {
    ...dataDefaults(dataset),
    ...settingsOf(given),
    dataset,
    data: given.data ?? "data",
    seed,
  };
  checkData(settings, flags);
  checkDetection(dataset, flags);
  checkKind({ model, ...settings }, map !== undefined, given.data !== undefined);
  const note = (line: string) => console.log(`Note: ${line}`);
  const rest = { note, workers: undefined, split_size: map?.split_size };
  const data = await whileReading((shown) =>
    loadAnyDataset(dataset, loadOptions(settings, entry.input, { ...rest, ...shown }))
  );
  try {
    data.notes.forEach(note);
    const isMixed = mixup > 0 || cutmix > 0;
    await checkSize(data.train, { count, epochs, isMixed });
    const { samples, images } = await decodable(data.train, permutation(data.train.count, seed, 0), count);
    const labels = samples.map((sample) => labelOf(data.train, sample));
    const columns = [images];
    for (let epoch = 0; epoch < epochs; epoch++) {
      const at = { seed, epoch };
      const batch = await fill(data.train, Uint32Array.from(samples), at);
      const column = samples.map((sample, slot) => imageIn(data.train, batch, slot, sample, at));
      columns.push(isMixed ? mixedColumn(column, labels, { mixup, cutmix }, at) : column);
    }
    const rows = labels.map((label, slot) => ({
      label,
      images: columns.map((column) => column[slot]!),
    }));
    const headings = columns.map((_, index) => index === 0 ? "evaluation" : `epoch ${index}`);
    const { contactSheet } = await import("../host/images/contact_sheet.ts");
    await writeAtomically(output, await contactSheet(rows, headings));
    console.log(
      `${output}: ${samples.length} of ${data.train.count} training images of ${data.train.name}`,
    );
    return 0;
  } finally {
    data.close?.();
  }
}

/** What a recipe and a configuration say of the images; the rest is for training. */
async function fromFiles({ recipe, config }: Given): Promise<Given> {
  const files = [
    ...recipe === undefined ? [] : [await recipeFile(recipe)],
    ...config === undefined ? [] : [config],
  ];
  const known = [...Object.keys(subjectFlags), ...Object.keys(dataFlags), "mixup", "cutmix", "seed"];
  const said = (await Promise.all(files.map(readConfig))).flatMap(({ flags }) => Object.entries(flags));
  return Object.fromEntries(said.filter(([name]) => known.includes(name)));
}

function settingsOf(given: Readonly<Record<string, unknown>>): Partial<DataSettings> {
  const settings = Object.keys(dataFlags).filter((name) => given[name] !== undefined);
  return Object.fromEntries(settings.map((name) => [settingOf(name), given[name]]));
}

/** Throws where the picture would be larger than any that can be made. */
async function checkSize(
  { width, height, channels, count: all }: ImageSet,
  { count, epochs, isMixed }: { readonly count: number; readonly epochs: number; readonly isMixed: boolean },
): Promise<void> {
  const { fitsSheet, MOST_PIXELS } = await import("../host/images/contact_sheet.ts");
  const captions = isMixed ? CAPTIONS : 0;
  if (fitsSheet({ rows: Math.min(count, all), columns: 1 + epochs, width, height, captions })) return;
  throw new UserError(
    `--count ${count} and --epochs ${epochs} of ${channels}×${height}×${width}: a picture has at most ` +
      `${Math.floor(MOST_PIXELS / 1e6)} million pixels; lower them, or --input`,
  );
}

/** The first `count` images of an order that can be decoded, as an evaluation sees them. */
async function decodable(
  dataset: Dataset | DetectionDataset,
  order: Uint32Array,
  count: number,
): Promise<{ samples: number[]; images: SheetImage[] }> {
  const none = "objects" in dataset ? NO_BOXES_COUNT : DOES_NOT_COUNT;
  const samples: number[] = [], images: SheetImage[] = [];
  for (let tried = 0; samples.length < count && tried < order.length;) {
    const next = order.slice(tried, tried + count - samples.length);
    const batch = await fill(dataset, next, undefined);
    for (const slot of counting(batch, next.length, none)) {
      samples.push(next[slot]!);
      images.push(imageIn(dataset, batch, slot, next[slot]!, undefined));
    }
    tried += next.length;
  }
  if (samples.length === 0) throw new UserError(`${dataset.name}: no training image can be decoded`);
  return { samples, images };
}

async function fill(
  dataset: Dataset | DetectionDataset,
  samples: Uint32Array,
  at: Moment | undefined,
): Promise<Batch> {
  const batch = allocateBatch(dataset, samples.length);
  await dataset.fill(batch, samples, at);
  return batch;
}

/** An image of a batch, with its moves done. */
function imageIn(
  dataset: Dataset | DetectionDataset,
  { pixels, moves }: Batch,
  slot: number,
  sample: number,
  at: Moment | undefined,
): SheetImage {
  const { width, height, channels } = dataset;
  const [top, left, flip] = moves.subarray(MOVES * slot, MOVES * (slot + 1)) as unknown as [
    number,
    number,
    number,
  ];
  const size = imageBytes(dataset);
  const data = pixels.slice(slot * size, (slot + 1) * size);
  const moved = crop({ width, height, channels, data }, top, left, [height, width]);
  return { ...flip ? flipHorizontally(moved) : moved, marked: marksOf(dataset, sample, at) };
}

/** The images mixed in pairs, the first with the last, as a training step would mix a batch of them. */
function mixedColumn(
  images: readonly SheetImage[],
  labels: readonly string[],
  options: MixOptions,
  at: Moment,
): SheetImage[] {
  const { width, height } = images[0]!;
  const mix = drawMix(options, [height, width], { ...at, step: 0 });
  const share = Math.round(100 * mix.share);
  return images.map((image, i) => {
    const partner = images.length - 1 - i;
    const captions = [`${share} % ${labels[i]}`, `${100 - share} % ${labels[partner]}`];
    return { ...mixed(image, images[partner]!, mix), captions };
  });
}

/** The objects that are seen at a moment, of images that have any. */
function marksOf(
  dataset: Dataset | DetectionDataset,
  sample: number,
  at: Moment | undefined,
): Marked[] {
  if (!("objects" in dataset)) return [];
  return dataset.objects(sample, at).map(({ box, label }) => ({
    box,
    label,
    text: dataset.classes[label] ?? "",
  }));
}

/** What stands beside an image's row. */
function labelOf(dataset: Dataset | DetectionDataset, sample: number): string {
  return "labels" in dataset ? dataset.classes[dataset.labels[sample]!]! : dataset.images[sample]!.name;
}

if (import.meta.main) await main(preview);
