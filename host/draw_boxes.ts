/** Draws boxes on photographs, and cuts them out. */
import type { Sharp } from "sharp";
import type { Image } from "../core/data/transforms/image.ts";
import { type Box, scaleBox } from "../core/detect/box.ts";
import type { Detection } from "../core/detect/detection.ts";
import { type Marked, overlay } from "../core/detect/overlay.ts";
import { openPhotograph } from "./images/decode.ts";

/** What is written at a detection: `raccoon 0.87`. The highest score is drawn last. */
export function marksOf(detections: readonly Detection[], classes: readonly string[]): Marked[] {
  return detections.toSorted((a, b) => a.score - b.score).map(({ box, label, score }) => ({
    box,
    label,
    text: `${classes[label] ?? `class ${label}`} ${score.toFixed(2)}`,
  }));
}

/** The kind of file that is made from a photograph: JPEG from JPEG, and PNG, which loses nothing, from all else. */
export type Made = "jpeg" | "png";

function write(image: Sharp, format: Made): Promise<Uint8Array> {
  return (format === "png" ? image.png() : image.jpeg({ quality: 92 })).toBuffer();
}

/** An image file's bytes with boxes drawn on it, upright and at its own size. Boxes in its pixels. */
export async function drawBoxes(
  bytes: Uint8Array,
  marked: readonly Marked[],
  format: Made = "jpeg",
): Promise<Uint8Array> {
  const { header, image } = await openPhotograph(bytes, { withProfile: true });
  const input = new TextEncoder().encode(overlay(header, marked)) as never;
  const drawn = image.flatten({ background: "#fff" }).toColourspace("srgb")
    .composite([{ input, left: 0, top: 0, limitInputPixels: false }]).removeAlpha();
  return await write(drawn, format);
}

/** The same as pixels, at most `side` of them wide and high. */
export async function drawSmall(bytes: Uint8Array, marked: readonly Marked[], side: number): Promise<Image> {
  const { header, image } = await openPhotograph(bytes, { withProfile: true });
  const scale = Math.min(side / Math.max(header.width, header.height), 1);
  const width = Math.max(Math.round(header.width * scale), 1);
  const height = Math.max(Math.round(header.height * scale), 1);
  const scaled = marked.map((item) => ({
    ...item,
    box: scaleBox(item.box, width / header.width, height / header.height),
  }));
  const input = new TextEncoder().encode(overlay({ width, height }, scaled)) as never;
  const { data, info } = await image.resize(width, height, { fit: "fill" }).flatten({ background: "#fff" })
    .toColourspace("srgb").composite([{ input, left: 0, top: 0 }]).removeAlpha().raw()
    .toBuffer({ resolveWithObject: true });
  return { width, height, channels: info.channels, data };
}

/** The part of an image file in a box of its pixels; at least one of them. */
export async function cutOut(bytes: Uint8Array, box: Box, format: Made = "jpeg"): Promise<Uint8Array> {
  const { header: { width, height }, image } = await openPhotograph(bytes, { withProfile: true });
  const left = Math.min(Math.max(Math.floor(box.x1), 0), width - 1);
  const top = Math.min(Math.max(Math.floor(box.y1), 0), height - 1);
  const part = image.extract({
    left,
    top,
    width: Math.min(Math.max(Math.ceil(box.x2) - left, 1), width - left),
    height: Math.min(Math.max(Math.ceil(box.y2) - top, 1), height - top),
  });
  return await write(part.flatten({ background: "#fff" }).toColourspace("srgb"), format);
}
