/** How the figures of a training are told to people. */
import type { Figures, Judged } from "../core/train/task.ts";

/** Shares by their figures' names. All other figures are parts of the loss. */
const SHARES: Readonly<Record<string, string>> = {
  accuracy: "accuracy",
  top5: "top-5 accuracy",
  map50: "mAP@0.5",
  map50_95: "mAP@0.5–0.95",
};

const PARTS: Readonly<Record<string, string>> = { noobject: "no object" };

/** `84.83 %` of 0.8483 */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** `14`, or of slow networks `0.5`. */
export function imagesNumber(count: number): string {
  return count.toFixed(count < 10 ? 1 : 0);
}

/** `14 images`, to be continued. */
export function imagesText(count: number): string {
  return `${imagesNumber(count)} images`;
}

/** What a figure is called. */
export function nameOf(figure: string): string {
  return SHARES[figure] ?? PARTS[figure] ?? figure;
}

/** ` (xy 0.1234, wh 0.0567, …)`: what the loss is made of; nothing where it has no parts. */
export function partsText(figures: Figures): string {
  const parts = Object.entries(figures).filter(([name]) => SHARES[name] === undefined);
  if (parts.length === 0) return "";
  return ` (${parts.map(([name, value]) => `${nameOf(name)} ${value.toFixed(4)}`).join(", ")})`;
}

/** `accuracy 84.83 %`; undefined where training has no such figure. */
export function sharesText(figures: Figures): string | undefined {
  const [share] = Object.entries(figures).filter(([name]) => SHARES[name] !== undefined);
  return share && `${nameOf(share[0])} ${percent(share[1])}`;
}

/** The line that the course's program ends with; of a detector the like. */
export function scoreLine({ kind, score }: Pick<Judged, "kind" | "score">): string {
  const what = kind === "classes" ? "Accuracy" : nameOf("map50");
  return `${what} of the model on the test images: ${percent(score)}`;
}
