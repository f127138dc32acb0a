/** What is wrong with a data set for detectors, before a training finds out. */
import { distance } from "fastest-levenshtein";
import { areaOf, type Box, clipBox } from "../../detect/box.ts";
import { crowdedOut } from "../../detect/targets.ts";
import { classesIn, type NamedBox, type Sample, sidesOf, type Size } from "./sample.ts";

/** An `error` keeps an image or an object from being used as it should; a `warning` is worth a look. */
export type Level = "error" | "warning";

export interface Problem {
  readonly level: Level;
  readonly kind: ProblemKind;
  /** The file, and for an object its number in the file, from 1. */
  readonly where: string;
  readonly what: string;
}

/** Every kind of problem, and what it means to a person. In the order in which reports have them. */
export const problemKinds = {
  "no-image": "annotations without an image",
  "no-annotation": "images without an annotation",
  "bad-image": "images that cannot be read or are cut short",
  "bad-annotation": "annotations that cannot be read",
  "other-size": "annotations for an image of another size",
  "outside": "boxes that reach outside their image",
  "no-area": "boxes without an area",
  "tiny": "boxes of a pixel or less",
  "unknown-class": "objects of a class that is not on the list",
  "odd-class": "classes that look like a slip of the pen",
  "twice": "objects that are there twice",
  "two-sets": "images that are on lists to train and to test on",
} as const;
export type ProblemKind = keyof typeof problemKinds;

export interface LintOptions {
  /** The classes that there are; undefined where every name is one. */
  readonly classes?: readonly string[] | undefined;
  /** Cells in a row of the detector that is to be trained. */
  readonly split_size: number;
  /** Whether an image without an annotation is one without objects, as for YOLO's label files. */
  readonly unlabelled_is_empty: boolean;
}

export interface LintReport {
  readonly images: number;
  readonly objects: number;
  readonly difficult: number;
  readonly truncated: number;
  /** Objects and images of each class. */
  readonly classes: readonly { readonly name: string; readonly objects: number; readonly images: number }[];
  /** Images on each list. */
  readonly sets: Readonly<Record<string, number>>;
  /** Objects that a detector of one object a cell cannot be taught, because another one's middle is in their cell. */
  readonly crowded: { readonly split_size: number; readonly objects: number; readonly images: number };
  readonly problems: readonly Problem[];
}

/** Looks at every image of a data set. */
export function lint(samples: readonly Sample[], options: LintOptions): LintReport {
  const usable = samples.filter(({ image }) => image !== undefined);
  const objects = samples.flatMap(({ objects }) => objects);
  const names = [...new Set([...options.classes ?? [], ...classesIn(samples)])];
  const dropped = samples.map((sample) => crowdedIn(sample, options.split_size));
  return {
    images: usable.length,
    objects: objects.length,
    difficult: objects.filter(({ difficult }) => difficult).length,
    truncated: objects.filter(({ truncated }) => truncated).length,
    classes: names.map((name) => ({
      name,
      objects: objects.filter((object) => object.name === name).length,
      images: samples.filter(({ objects }) => objects.some((object) => object.name === name)).length,
    })),
    sets: countSets(usable),
    crowded: {
      split_size: options.split_size,
      objects: dropped.reduce((sum, count) => sum + count, 0),
      images: dropped.filter((count) => count > 0).length,
    },
    problems: sorted([
      ...samples.flatMap((sample) => [...problemsOf(sample, options)]),
      ...oddClasses(samples, options.classes),
    ]),
  };
}

function countSets(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const set of samples.flatMap(({ sets }) => sets)) counts[set] = (counts[set] ?? 0) + 1;
  return counts;
}

/** By kind; within one in the order of the images. */
function sorted(problems: Problem[]): Problem[] {
  const kinds = Object.keys(problemKinds);
  return problems.sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
}

function crowdedIn({ size, objects }: Sample, split_size: number): number {
  if (!size) return 0;
  return crowdedOut({ ...size, objects: objects.map((object) => ({ ...object, label: 0 })) }, split_size);
}

function* problemsOf(sample: Sample, options: LintOptions): Generator<Problem> {
  const { image, annotation, size, stated, objects, damage, fault, name, sets } = sample;
  const file = annotation ?? image ?? name;
  if (image === undefined) {
    yield { level: "error", kind: "no-image", where: file, what: `there is no image of the name ${name}` };
  }
  if (annotation === undefined && image !== undefined) {
    const level = options.unlabelled_is_empty ? "warning" : "error";
    const what = options.unlabelled_is_empty ? "counts as an image without objects" : "is passed over";
    yield { level, kind: "no-annotation", where: file, what };
  }
  if (image !== undefined && damage !== undefined) {
    yield { level: "error", kind: "bad-image", where: image, what: damage };
  }
  if (fault !== undefined) yield { level: "error", kind: "bad-annotation", where: file, what: fault };
  if (size && stated && (size.width !== stated.width || size.height !== stated.height)) {
    const what = `says ${sizeText(stated)}, the image is ${sizeText(size)}`;
    yield { level: "error", kind: "other-size", where: file, what };
  }
  const tests = sets.filter((set) => /^(val|valid|validation|test)$/.test(set));
  if (sets.includes("train") && tests.length > 0) {
    yield { level: "warning", kind: "two-sets", where: file, what: `is on train and on ${tests.join(", ")}` };
  }
  for (const [index, object] of objects.entries()) {
    const where = `${file} object ${index + 1}`;
    yield* boxProblems(object, where, size ?? stated);
    if (options.classes && !options.classes.includes(object.name)) {
      yield { level: "error", kind: "unknown-class", where, what: object.name };
    }
    const twin = objects.findIndex((other) => isSame(other, object));
    if (twin < index) yield { level: "warning", kind: "twice", where, what: `is object ${twin + 1} again` };
  }
}

/** Half a pixel is rounding, in files that hold shares of the image. */
const ROUNDING = 0.5;

function* boxProblems({ box, name }: NamedBox, where: string, size: Size | undefined): Generator<Problem> {
  const [width, height] = sidesOf(box);
  const what = `${name} ${boxText(box)}`;
  if (!(areaOf(box) > 0)) yield { level: "error", kind: "no-area", where, what };
  else if (Math.min(width, height) <= 1) yield { level: "warning", kind: "tiny", where, what };
  if (!size) return;
  const inside = clipBox(box, size.width, size.height);
  const over = Math.max(
    ...Object.keys(box).map((edge) => Math.abs(box[edge as keyof Box] - inside[edge as keyof Box])),
  );
  if (over > ROUNDING) {
    const level = areaOf(inside) > 0 ? "warning" : "error";
    yield { level, kind: "outside", where, what: `${what}, the image is ${sizeText(size)}` };
  }
}

function isSame(a: NamedBox, b: NamedBox): boolean {
  return a.name === b.name && a.box.x1 === b.box.x1 && a.box.y1 === b.box.y1 && a.box.x2 === b.box.x2 &&
    a.box.y2 === b.box.y2;
}

/** Of two classes that nearly have one name, the one with a twentieth of the other's objects or fewer is no class. */
function oddClasses(samples: readonly Sample[], known: readonly string[] | undefined): Problem[] {
  if (known) return [];
  const counts = new Map<string, number>();
  for (const { name } of samples.flatMap(({ objects }) => objects)) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const looksLike = (a: string, b: string) =>
    a.toLowerCase() === b.toLowerCase() || (Math.min(a.length, b.length) > 3 && distance(a, b) === 1);
  return [...counts].flatMap(([name, count]) => {
    const meant = [...counts.keys()].find((other) =>
      other !== name && counts.get(other)! >= 20 * count && looksLike(name, other)
    );
    if (meant === undefined) return [];
    return [{
      level: "warning",
      kind: "odd-class",
      where: name,
      what: `${count} objects; ${meant} has ${counts.get(meant)}`,
    }];
  });
}

function sizeText({ width, height }: Size): string {
  return `${width}×${height}`;
}

function boxText({ x1, y1, x2, y2 }: Box): string {
  return `(${[x1, y1, x2, y2].map((edge) => Number(edge.toFixed(1))).join(", ")})`;
}
