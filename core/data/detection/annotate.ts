/** From what files say to what a detector is trained on. */
import { areaOf, clipBox } from "../../detect/box.ts";
import { UserError } from "../../errors.ts";
import { type AnnotatedImage, classesIn, type Sample } from "./sample.ts";

/**
 * The classes' names, by label: those given, else all that occur. Numbers, which YOLO's files have for names, keep their
 * places: a highest class of 14 makes 15 classes.
 */
export function classNames(
  samples: readonly Sample[],
  given: readonly string[] | undefined,
): readonly string[] {
  if (given) return given;
  const names = classesIn(samples);
  if (!names.every((name) => /^\d+$/.test(name))) return names;
  return Array.from({ length: Math.max(-1, ...names.map(Number)) + 1 }, (_, label) => String(label));
}

/**
 * A sample as an image to train or to be judged on: boxes are cut at the image's edges, and those of which nothing is left
 * are dropped. Throws `UserError` where the sample has no readable image, or an object of no class.
 */
export function annotate(sample: Sample, classes: readonly string[]): AnnotatedImage {
  const { name, image, annotation, size, damage, fault, objects } = sample;
  const fail = (what: string): never => {
    throw new UserError(
      `${annotation ?? image ?? name}: ${what}; deno task lint-data names all such problems`,
    );
  };
  if (image === undefined) return fail("there is no image to this annotation");
  if (!size) return fail(`the image cannot be read: ${damage}`);
  if (fault !== undefined) return fail(fault);
  return {
    name,
    path: image,
    ...size,
    objects: objects.flatMap(({ name, box, difficult, truncated }) => {
      const label = classes.indexOf(name);
      if (label < 0) return fail(`there is no class ${name}, only ${known(classes)}`);
      const inside = clipBox(box, size.width, size.height);
      return areaOf(inside) > 0 ? [{ box: inside, label, difficult, truncated }] : [];
    }),
  };
}

/** Up to this many names, errors list all. */
const FEW = 20;

function known(classes: readonly string[]): string {
  const more = classes.length > FEW ? ` and ${classes.length - FEW} more` : "";
  return classes.slice(0, FEW).join(", ") + more;
}
