/** PASCAL VOC's VOCevaldet.m and VOCap.m, line by line, for one class. */
import type { Detection } from "../../core/detect/detection.ts";
import type { Box } from "../../core/detect/box.ts";
import type { JudgedImage } from "../../core/metrics/detection_matches.ts";

export function vocEval(images: readonly JudgedImage[], label: number, minoverlap: number) {
  const gt = images.map(({ objects }) => {
    const own = objects.filter((object) => object.label === label);
    return {
      BB: own.map(({ box }) => box),
      diff: own.map(({ difficult }) => difficult),
      det: own.map(() => false),
    };
  });
  const npos = gt.flatMap(({ diff }) => diff).filter((difficult) => !difficult).length;
  const ids: number[] = [], found: Detection[] = [];
  images.forEach(({ detections }, image) =>
    detections.filter((detection) => detection.label === label).forEach((detection) => {
      ids.push(image);
      found.push(detection);
    })
  );
  const si = found.map((_, index) => index).sort((a, b) => found[b]!.score - found[a]!.score);
  const tp = si.map(() => 0), fp = si.map(() => 0);
  for (let d = 0; d < si.length; d++) {
    const i = gt[ids[si[d]!]!]!, bb = found[si[d]!]!.box;
    let ovmax = -Infinity, jmax = -1;
    for (let j = 0; j < i.BB.length; j++) {
      const ov = overlap(bb, i.BB[j]!);
      if (ov > ovmax) {
        ovmax = ov;
        jmax = j;
      }
    }
    if (ovmax >= minoverlap) {
      if (!i.diff[jmax]) {
        if (!i.det[jmax]) {
          tp[d] = 1;
          i.det[jmax] = true;
        } else {
          fp[d] = 1;
        }
      }
    } else {
      fp[d] = 1;
    }
  }
  let fps = 0, tps = 0;
  const rec: number[] = [], prec: number[] = [];
  for (let d = 0; d < si.length; d++) {
    fps += fp[d]!;
    tps += tp[d]!;
    rec.push(tps / npos);
    prec.push(tps / (fps + tps));
  }
  return { npos, ap11: ap11(rec, prec), area: area(rec, prec) };
}

function overlap(a: Box, b: Box): number {
  const iw = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const ih = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (iw <= 0 || ih <= 0) return 0;
  return iw * ih / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - iw * ih);
}

/** The 11 points of VOC 2007, each a tenth as exactly as a double has it. */
function ap11(rec: readonly number[], prec: readonly number[]): number {
  let ap = 0;
  for (let t = 0; t <= 10; t++) {
    ap += Math.max(0, ...prec.filter((p, i) => p >= 0 && rec[i]! >= t / 10 - 1e-12)) / 11;
  }
  return ap;
}

function area(rec: readonly number[], prec: readonly number[]): number {
  const mrec = [0, ...rec, 1], mpre = [0, ...prec.map((p) => p || 0), 0];
  for (let i = mpre.length - 2; i >= 0; i--) mpre[i] = Math.max(mpre[i]!, mpre[i + 1]!);
  let ap = 0;
  for (let i = 0; i + 1 < mrec.length; i++) ap += (mrec[i + 1]! - mrec[i]!) * mpre[i + 1]!;
  return ap;
}
