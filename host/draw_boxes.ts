/** Draws detections on photographs. */
import sharp from "sharp";
import type { Detection } from "../core/detect/detection.ts";
import { type Marked, overlay } from "../core/detect/overlay.ts";

// What reads photographs for training shuts this reader out; here it reads nothing but what is drawn.
sharp.unblock({ operation: ["VipsForeignLoadSvgBuffer"] });

/** What is written at a detection: `raccoon 0.87`. The highest score is drawn last. */
export function marksOf(detections: readonly Detection[], classes: readonly string[]): Marked[] {
  return detections.toSorted((a, b) => a.score - b.score).map(({ box, label, score }) => ({
    box,
    label,
    text: `${classes[label] ?? label} ${score.toFixed(2)}`,
  }));
}

/** An image file's bytes with boxes drawn on it, upright and at its own size. Boxes in its pixels. */
export async function drawBoxes(
  image: Uint8Array,
  marked: readonly Marked[],
  format: "jpeg" | "png" = "jpeg",
): Promise<Uint8Array> {
  const upright = sharp(image).autoOrient();
  const { autoOrient } = await upright.metadata();
  const svg = new TextEncoder().encode(overlay(autoOrient, marked));
  const drawn = upright.flatten({ background: "#fff" }).toColourspace("srgb")
    .composite([{ input: svg as never, left: 0, top: 0 }]).removeAlpha();
  return await (format === "png" ? drawn.png() : drawn.jpeg({ quality: 92 })).toBuffer();
}
