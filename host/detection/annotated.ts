/** All labelled images of a folder, as a detector is taught them. */
import { annotate, classNames } from "../../core/data/detection/annotate.ts";
import type { AnnotatedImage, Sample } from "../../core/data/detection/sample.ts";
import { UserError } from "../../core/errors.ts";
import type { DamagedFile } from "../images/damaged.ts";
import { findAnnotations } from "./find.ts";
import { readSamples } from "./read.ts";

export interface AnnotatedImages {
  readonly classes: readonly string[];
  readonly images: readonly AnnotatedImage[];
  /** Of each list (train, val, …) the indices of its images; empty where the data set has no lists. */
  readonly sets: ReadonlyMap<string, readonly number[]>;
  /** What the user should know; usually empty. */
  readonly notes: readonly string[];
}

export interface AnnotatedOptions {
  /** The names of all classes; by default those that the data set names, or else that occur. */
  readonly classes?: readonly string[] | undefined;
  /** Whether images that cannot be read are left out, or the first one ends it. */
  readonly badImages?: "skip" | "fail";
  /** Told of each that is left out. */
  readonly onDamaged?: ((file: DamagedFile) => void) | undefined;
  /** Told how many of all images have been read. */
  readonly onRead?: ((done: number, all: number) => void) | undefined;
}

/**
 * Reads all annotations, and the headers of all images. An image without an annotation is one without objects for YOLO,
 * and left out for VOC, whose every image has a file. Throws `UserError` at the first annotation that cannot be used.
 */
export async function readAnnotated(
  folder: string,
  { classes: given, badImages = "fail", onDamaged, onRead }: AnnotatedOptions = {},
): Promise<AnnotatedImages> {
  const found = await findAnnotations(folder);
  // Numbers stand for the names of the data's own list, which may have another order than those that are given.
  const all = await readSamples(found, { thorough: false, classes: found.classes ?? given ?? [], onRead });
  const labelled = found.format === "yolo" ? all : all.filter(({ annotation }) => annotation !== undefined);
  const isBad = ({ image, size }: Sample) => image !== undefined && size === undefined;
  const bad = badImages === "skip" ? labelled.filter(isBad) : [];
  for (const { image, damage = "" } of bad) onDamaged?.({ file: image!, why: damage });
  const samples = bad.length > 0 ? labelled.filter((sample) => !isBad(sample)) : labelled;
  const classes = classNames(samples, given ?? found.classes);
  const images = samples.map((sample) => annotate(sample, classes));
  if (classes.length === 0) throw new UserError(`--data ${folder}: no image has an object`);
  const sets = new Map<string, number[]>();
  for (const [index, sample] of samples.entries()) {
    for (const set of sample.sets) sets.getOrInsert(set, []).push(index);
  }
  const passed = all.length - labelled.length;
  const notes = [
    ...passed > 0 ? [`${passed} images without an annotation were passed over`] : [],
    ...bad.length > 0
      ? [`images that cannot be read and are skipped: ${bad.length}; deno task lint-data names them`]
      : [],
  ];
  return { classes, images, sets, notes };
}
