/// <reference lib="dom" />
/** The page's first part: weights and images are dropped, and the likeliest classes shown. */
import { element } from "../dashboard/facts.js";
import { percent, whole } from "../dashboard/format.js";
import type { Image } from "../core/data/transforms/image.ts";
import { parseStateDict } from "../core/format/read_state_dict.ts";
import { UserError } from "../core/errors.ts";
import type { StateDict } from "../core/format/state_dict.ts";
import { parseClassNames } from "../core/predict/class_names.ts";
import { runOf } from "../models/weights_network.ts";
import type { Device } from "./backends.ts";
import { type Classified, type Classifier, classifiers, createClassifier, recognise } from "./classifier.ts";
import { decodeImage } from "./decode.ts";
import { find, kindly, notice, option } from "./dom.ts";

/** What the page says of answers before there are any. */
const NOTHING_YET = find("classify-status").textContent;

/** Pictures smaller than this are shown larger, with their pixels sharp. */
const TINY = 64;

interface Weights {
  readonly dict: StateDict;
  /** The network that they are of, if it is known. */
  readonly of: string | undefined;
}

interface ClassNames {
  readonly list: readonly string[];
  /** Where they are from. */
  readonly file: string;
}

/** Makes the part work; returns what to call when another device is chosen. */
export function startClassifying(device: () => Device): () => void {
  const models = find<HTMLSelectElement>("model");
  let weights: Weights | undefined;
  let names: ClassNames | undefined;
  let image: Image | undefined;
  let classifier: Classifier | undefined;
  let work = Promise.resolve();

  /** Does one thing after another, and shows what goes wrong. */
  function enqueue(job: () => Promise<void>): void {
    work = work.then(async () => {
      notice("classify-notice", "");
      try {
        await job();
      } catch (error) {
        find("answers").replaceChildren();
        find("classify-status").textContent = "";
        notice("classify-notice", kindly(error));
      }
    });
  }

  async function take(files: readonly File[]): Promise<void> {
    for (const file of files) {
      if (file.type.startsWith("image/")) await takeImage(file);
      else if (file.type.startsWith("text/")) await takeNames(file);
      else await takeWeights(file);
    }
    await classify();
  }

  async function takeImage(file: File): Promise<void> {
    image = await decodeImage(file);
    const shown = find<HTMLImageElement>("image");
    URL.revokeObjectURL(shown.src);
    shown.src = URL.createObjectURL(file);
    shown.alt = file.name;
    shown.classList.toggle("tiny", image.width < TINY);
    shown.hidden = false;
    find("drop-hint").textContent = file.name;
  }

  async function takeNames(file: File): Promise<void> {
    const list = parseClassNames(await file.text());
    if (list.length === 0) {
      throw new UserError(`${file.name}: there is nothing in it; it may name classes, one a line`);
    }
    names = { list, file: file.name };
    find("classes").textContent = `${whole(list.length)} names of ${file.name}`;
  }

  async function takeWeights(file: File): Promise<void> {
    await tell(`Reading ${file.name} …`);
    const dict = await parseStateDict(new Uint8Array(await file.arrayBuffer()), file.name);
    const name = recognise(dict);
    forget();
    weights = { dict, of: name };
    find("weights").textContent = file.name;
    if (name !== undefined) models.value = name;
    const { classes } = runOf(dict) ?? {};
    if (classes) names = { list: classes, file: file.name };
  }

  async function classify(): Promise<void> {
    if (!weights) return await tell(image ? "Now weights are missing." : NOTHING_YET);
    if (!classifier) {
      await tell(`Building ${models.value} …`);
      classifier = await createClassifier(await device().backend(), weights.dict, models.value, weights.of);
    }
    const { num_classes } = classifier;
    const named = names?.list.length === num_classes ? names : undefined;
    find("classes").textContent = describeNames(named, num_classes);
    if (names && !named) notice("classify-notice", mismatch(names, models.value, num_classes));
    if (!image) return await tell("Now an image is missing.");
    await tell("Looking …");
    const classified = await classifier.classify(image);
    show(classified, named?.list ?? []);
  }

  function show({ answers, milliseconds }: Classified, names: readonly string[]): void {
    find("classify-status").textContent = `${models.value} took ${
      milliseconds.toFixed(1)
    } ms on ${device().label}`;
    find("answers").replaceChildren(...answers.map(({ index, probability }) => {
      const name = element("span", names[index] ?? `class ${index}`);
      name.className = "name";
      const share = element("span", percent(probability));
      share.className = "share";
      const meter = element("meter") as HTMLMeterElement;
      meter.value = probability;
      meter.setAttribute("aria-hidden", "true");
      return element("li", name, share, meter);
    }));
  }

  function forget(): void {
    classifier?.dispose();
    classifier = undefined;
  }

  const again = () => {
    enqueue(async () => {
      forget();
      await classify();
    });
  };
  const sized = Map.groupBy(classifiers, ([, { input }]) => input.join("×"));
  models.append(...Array.from(sized, ([size, entries]) => {
    const group = document.createElement("optgroup");
    group.label = `for images of ${size}`;
    group.append(...entries.map(([name]) => option(name, name)));
    return group;
  }));
  models.value = "squeezenet1_1";
  models.addEventListener("change", again);
  listenForFiles((files) => enqueue(() => take(files)));
  return again;
}

function describeNames(names: ClassNames | undefined, num_classes: number): string {
  const classes = `${whole(num_classes)} classes`;
  return names ? `${classes}, named by ${names.file}` : `${classes}; a text file names them, one a line`;
}

function mismatch({ list, file }: ClassNames, model: string, num_classes: number): string {
  const lines = list.length === 1 ? "1 line" : `${whole(list.length)} lines`;
  return `${file}: ${lines}, but ${model} has ${
    whole(num_classes)
  } classes; a text file names them, one a line`;
}

/** Shows what is going on, and lets it be seen before the page is busy with it. */
async function tell(text: string): Promise<void> {
  find("answers").replaceChildren();
  find("classify-status").textContent = text;
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Files that are dropped anywhere on the page, chosen or pasted. */
function listenForFiles(take: (files: readonly File[]) => void): void {
  const chosen = find<HTMLInputElement>("files");
  chosen.addEventListener("change", () => {
    take([...chosen.files ?? []]);
    chosen.value = "";
  });
  const mark = (on: boolean) => find("drop").classList.toggle("over", on);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", () => mark(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    take([...event.dataTransfer?.files ?? []]);
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData?.files ?? []];
    if (files.length > 0) take(files);
  });
}
