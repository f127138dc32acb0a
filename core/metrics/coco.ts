/** Files of COCO's format (https://cocodataset.org/#format-data), which many tools read. */
import type { Box } from "../detect/box.ts";
import { areaOf } from "../detect/box.ts";
import type { Detection } from "../detect/detection.ts";
import type { AnnotatedImage } from "../data/detection/sample.ts";

/** An entry of a results file. */
export interface CocoResult {
  /** The image's number, from 1. */
  readonly image_id: number;
  /** The class's number, from 1. */
  readonly category_id: number;
  /** Left, top, width, height, in pixels. */
  readonly bbox: readonly [number, number, number, number];
  readonly score: number;
}

function bboxOf({ x1, y1, x2, y2 }: Box): [number, number, number, number] {
  return [x1, y1, x2 - x1, y2 - y1];
}

/** All detections, image by image: `detections[i]` are those of image i. */
export function cocoResults(detections: readonly (readonly Detection[])[]): CocoResult[] {
  return detections.flatMap((found, image) =>
    found.map(({ box, label, score }) => ({
      image_id: image + 1,
      category_id: label + 1,
      bbox: bboxOf(box),
      score,
    }))
  );
}

/** What is there, to judge a results file with. */
export interface CocoAnnotations {
  readonly images: readonly {
    readonly id: number;
    readonly file_name: string;
    readonly width: number;
    readonly height: number;
  }[];
  readonly annotations: readonly (Omit<CocoResult, "score"> & {
    readonly id: number;
    /** In pixels. */
    readonly area: number;
    readonly iscrowd: 0;
    /** Of difficult objects COCO knows nothing; here they are marked by 1. */
    readonly ignore: 0 | 1;
  })[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
}

/** The objects of all images, numbered as `cocoResults` numbers them. */
export function cocoAnnotations(
  images: readonly AnnotatedImage[],
  classes: readonly string[],
): CocoAnnotations {
  const objects = images.flatMap(({ objects }, image) =>
    objects.map((object) => ({ ...object, image_id: image + 1 }))
  );
  return {
    images: images.map(({ path, width, height }, image) => ({
      id: image + 1,
      file_name: path,
      width,
      height,
    })),
    annotations: objects.map(({ box, label, difficult, image_id }, index) => ({
      id: index + 1,
      image_id,
      category_id: label + 1,
      bbox: bboxOf(box),
      area: areaOf(box),
      iscrowd: 0,
      ignore: difficult ? 1 : 0,
    })),
    categories: classes.map((name, label) => ({ id: label + 1, name })),
  };
}
