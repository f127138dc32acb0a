/** Reads what was found: headers of images, and annotations of either kind. */
import type { NamedBox, Sample, Size } from "../../core/data/detection/sample.ts";
import { parseVoc } from "../../core/data/detection/voc.ts";
import { namedObjects, parseYoloLabels } from "../../core/data/detection/yolo_labels.ts";
import { UserError } from "../../core/errors.ts";
import { mapAtOnce } from "../at_once.ts";
import { readBytes } from "../files.ts";
import { decode, readSize } from "../images/decode.ts";
import type { FoundAnnotations, FoundFile } from "./find.ts";

export interface ReadOptions {
  /** Decodes every image, to find those that are cut short; else their headers will do. */
  readonly thorough: boolean;
  /** Names of the classes whose numbers YOLO's files have. */
  readonly classes: readonly string[];
  /** Told how many of all have been read. */
  readonly onRead?: ((done: number, all: number) => void) | undefined;
}

/** Images under way at once. */
const AT_ONCE = 16;

/** Every image and annotation, in the order in which they were found. What cannot be read is said in its sample. */
export async function readSamples(found: FoundAnnotations, options: ReadOptions): Promise<Sample[]> {
  const { files, format } = found;
  let done = 0;
  return await mapAtOnce(files, AT_ONCE, async (file) => {
    const sample = await readSample(file, format, options);
    options.onRead?.(++done, files.length);
    return sample;
  });
}

async function readSample(file: FoundFile, format: "voc" | "yolo", options: ReadOptions): Promise<Sample> {
  const header = file.image === undefined ? {} : await readImage(file.image, options.thorough);
  const read = format === "voc" ? readVoc : readYolo;
  const annotation = file.annotation === undefined
    ? { objects: [] }
    : await read(file.annotation, header.size, options.classes);
  return { ...file, size: header.size, ...header, ...annotation };
}

async function readImage(path: string, thorough: boolean): Promise<Pick<Sample, "damage"> & { size?: Size }> {
  let size: Size | undefined;
  try {
    const { width, height } = await readSize(path);
    size = { width, height };
    // A JPEG is read to its end at an eighth of its size, too.
    if (thorough) {
      await decode(await readBytes(path), { maxPixels: 1e9, reduction: () => 8 });
    }
    return { size };
  } catch (error) {
    const damage = error instanceof Error ? error.message.split("\n", 1)[0]! : String(error);
    return { damage, ...size ? { size } : {} };
  }
}

type Annotation = { objects: readonly NamedBox[]; stated?: Size | undefined; fault?: string };

function readVoc(path: string): Promise<Annotation> {
  return orFault(path, (text) => {
    const { size, objects } = parseVoc(text, path);
    return { objects, stated: size };
  });
}

/** Shares of an image whose size is unknown are no boxes. */
function readYolo(path: string, size: Size | undefined, classes: readonly string[]): Promise<Annotation> {
  return orFault(path, (text) => {
    const objects = parseYoloLabels(text, path);
    return { objects: size ? namedObjects(objects, size, classes) : [] };
  });
}

async function orFault(path: string, parse: (text: string) => Annotation): Promise<Annotation> {
  try {
    return parse(new TextDecoder().decode(await readBytes(path)));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { objects: [], fault: error.message.replace(`${path}: `, "").replace(`${path} `, "") };
  }
}
