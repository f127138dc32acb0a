import { UserError } from "../errors.ts";
import type { Dataset } from "./dataset.ts";

/**
 * The same images labelled by another list of classes, in which each one's class is found by its name: for weights that
 * were trained on more classes, or in another order. Throws where a class is not in the list, or more than once.
 */
export function relabel(dataset: Dataset, classes: readonly string[]): Dataset {
  if (dataset.classes.join("\n") === classes.join("\n")) return dataset;
  const places = dataset.classes.map((name) => {
    const place = classes.indexOf(name);
    if (place >= 0 && place === classes.lastIndexOf(name)) return place;
    const what = place < 0 ? "is none" : "is the name of more than one";
    throw new UserError(
      `${dataset.name}: ${name} ${what} of the ${classes.length} classes that the weights know: ${
        listed(classes)
      }`,
    );
  });
  const { tenCrop } = dataset;
  return {
    ...dataset,
    ...tenCrop ? { tenCrop: (index: number) => relabel(tenCrop(index), classes) } : {},
    classes,
    labels: Uint16Array.from(dataset.labels, (label) => places[label]!),
    async fill(batch, samples, at) {
      await dataset.fill(batch, samples, at);
      batch.target.forEach((label, slot) => batch.target[slot] = places[label] ?? label);
    },
    pick: (indices) => relabel(dataset.pick(indices), classes),
  };
}

function listed(names: readonly string[]): string {
  return names.length <= 12
    ? names.join(", ")
    : `${names.slice(0, 12).join(", ")} and ${names.length - 12} more`;
}
