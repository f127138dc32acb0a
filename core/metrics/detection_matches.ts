/** Which detections are right, by the rules of PASCAL VOC (Everingham et al. 2010; VOCevaldet.m). */
import { iou } from "../detect/box.ts";
import type { Detection } from "../detect/detection.ts";
import type { LabelledBox } from "../detect/labelled_box.ts";

/** What was found in an image, and what is there. Boxes of both in the same unit. */
export interface JudgedImage {
  readonly detections: readonly Detection[];
  readonly objects: readonly Pick<LabelledBox, "box" | "label" | "difficult">[];
}

/** A detection and the object of its class that it overlaps most; of equals the first. */
export interface Candidate {
  readonly detection: Detection;
  readonly image: number;
  readonly score: number;
  /** Index among the image's objects; −1 where there is none of the class. */
  readonly object: number;
  /** 0 where there is no object. */
  readonly iou: number;
  readonly difficult: boolean;
}

/** A class's detections, highest score first, and how many objects there are to find. */
export interface ClassCandidates {
  readonly candidates: readonly Candidate[];
  /** Objects that are not difficult. */
  readonly positives: number;
  readonly difficult: number;
}

/** All detections of a class beside the objects that they may be. No threshold matters here. */
export function candidatesOf(images: readonly JudgedImage[], label: number): ClassCandidates {
  const objects = images.flatMap(({ objects }) => objects.filter((object) => object.label === label));
  const candidates = images.flatMap((image, index) =>
    image.detections.filter((detection) => detection.label === label)
      .map((detection) => candidateOf(detection, image, index))
  ).sort((a, b) => b.score - a.score);
  const difficult = objects.filter(({ difficult }) => difficult).length;
  return { candidates, positives: objects.length - difficult, difficult };
}

function candidateOf(detection: Detection, { objects }: JudgedImage, image: number): Candidate {
  const { box, label, score } = detection;
  let best = -1, most = 0;
  for (const [index, object] of objects.entries()) {
    if (object.label !== label) continue;
    const shared = iou(box, object.box);
    if (best >= 0 && !(shared > most)) continue;
    best = index;
    most = shared;
  }
  return { detection, image, score, object: best, iou: most, difficult: objects[best]?.difficult ?? false };
}

/** A detection that counts. */
export interface Judged extends Candidate {
  /** True positive; else a false one: no object there, or one that a higher score has found already. */
  readonly right: boolean;
}

/**
 * Which detections are right at an IoU of `threshold` or more. Those that lie on a difficult object are left out: they count
 * neither way.
 */
export function judge(candidates: readonly Candidate[], threshold: number): Judged[] {
  const found = new Set<string>();
  return candidates.flatMap((candidate) => {
    const there = candidate.object >= 0 && candidate.iou >= threshold;
    if (there && candidate.difficult) return [];
    const key = `${candidate.image}/${candidate.object}`;
    const right = there && !found.has(key);
    if (right) found.add(key);
    return [{ ...candidate, right }];
  });
}
