/** How `detect` tells what it found: a line an image as they come, or all at the end as JSON. */
import type { Size } from "../core/data/detection/sample.ts";
import type { DetectOptions } from "../core/detect/detect.ts";
import type { Detection } from "../core/detect/detection.ts";
import { oneLine } from "../core/errors.ts";
import type { Saved } from "../host/detection/folder.ts";

export interface Found extends Size, Saved {
  readonly file: string;
  /** The most certain first. */
  readonly detections: readonly Detection[];
}

export interface DetectionWriter {
  found(found: Found): void;
  damaged(file: string, why: string): void;
  finish(): void;
}

/** What detects. */
export interface Detecting extends DetectOptions {
  readonly weights: string;
  readonly model: string;
}

type NameOf = (label: number) => string;

export function textWriter(nameOf: NameOf): DetectionWriter {
  return {
    found({ file, picture, detections }) {
      const drawn = picture === undefined ? "" : ` (${picture})`;
      console.log(oneLine(`${file}: ${told(detections, nameOf)}${drawn}`));
    },
    damaged() {},
    finish() {},
  };
}

/** Detections up to which each is told with its confidence. */
const FEW = 6;

/** `raccoon 0.91, raccoon 0.45`, or of many how often each class was found: `RBC ×14, WBC ×1`. */
function told(detections: readonly Detection[], nameOf: NameOf): string {
  if (detections.length === 0) return "nothing found";
  if (detections.length <= FEW) {
    return detections.map(({ label, score }) => `${nameOf(label)} ${score.toFixed(2)}`).join(", ");
  }
  const classes = Map.groupBy(detections, ({ label }) => label);
  return [...classes].map(([label, found]) => `${nameOf(label)} ×${found.length}`).join(", ");
}

/** Boxes are [left, top, right, bottom] in pixels of the image, upright. */
export function jsonWriter(nameOf: NameOf, detecting: Detecting): DetectionWriter {
  const images: unknown[] = [];
  const damaged: { file: string; why: string }[] = [];
  const pixels = (x: number) => Math.round(100 * x) / 100;
  return {
    found({ file, width, height, detections, crops, ...rest }) {
      images.push({
        file,
        width,
        height,
        ...rest,
        detections: detections.map(({ box: { x1, y1, x2, y2 }, label, score }, i) => ({
          class: nameOf(label),
          index: label,
          confidence: score,
          box: [x1, y1, x2, y2].map(pixels),
          ...crops ? { crop: crops[i]! } : {},
        })),
      });
    },
    damaged: (file, why) => damaged.push({ file, why }),
    finish() {
      const { weights, model, conf_threshold: conf, iou_threshold: iou, max_detections: max_det } = detecting;
      console.log(JSON.stringify({ weights, model, conf, iou, max_det, images, damaged }, null, 2));
    },
  };
}
