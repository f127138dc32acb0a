/** All labelled images of a folder, as a detector is taught them. */
import { annotate, classNames } from "../../core/data/detection/annotate.ts";
import type { AnnotatedImage } from "../../core/data/detection/sample.ts";
import { UserError } from "../../core/errors.ts";
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

/**
 * Reads all annotations, and the headers of all images. An image without an annotation is one without objects for YOLO,
 * and left out for VOC, whose every image has a file. Throws `UserError` at the first thing that cannot be used.
 */
export async function readAnnotated(folder: string, given?: readonly string[]): Promise<AnnotatedImages> {
  const found = await findAnnotations(folder);
  // Numbers stand for the names of the data's own list, which may have another order than those that are given.
  const all = await readSamples(found, { thorough: false, classes: found.classes ?? given ?? [] });
  const samples = found.format === "yolo" ? all : all.filter(({ annotation }) => annotation !== undefined);
  const classes = classNames(samples, given ?? found.classes);
  const images = samples.map((sample) => annotate(sample, classes));
  if (classes.length === 0) throw new UserError(`--data ${folder}: no image has an object`);
  const sets = new Map<string, number[]>();
  for (const [index, sample] of samples.entries()) {
    for (const set of sample.sets) sets.getOrInsert(set, []).push(index);
  }
  const passed = all.length - samples.length;
  const notes = passed > 0 ? [`${passed} images without an annotation were passed over`] : [];
  return { classes, images, sets, notes };
}
