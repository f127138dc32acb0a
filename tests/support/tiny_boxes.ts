/** A detector and images with boxes so small that a run takes no time. */
import type { DatasetSplit } from "../../core/data/dataset.ts";
import type { DetectionDataset } from "../../core/data/detection/dataset.ts";
import { fillEmptyTarget, fillTarget } from "../../core/detect/targets.ts";
import type { DetectionModel } from "../../core/detect/model.ts";
import type { LabelledBox } from "../../core/detect/labelled_box.ts";
import * as nn from "../../core/nn/mod.ts";
import { draw, integer } from "../../core/random.ts";

const [SIDE, S, CLASSES] = [16, 2, 2];

/** Everything that keeps state: batch norm, dropout. Cells are 8 pixels wide. */
export class TinyDetector extends nn.Module implements DetectionModel {
  readonly map = { split_size: S, num_boxes: 2, num_classes: CLASSES };
  features = new nn.Sequential(
    new nn.Conv2d(3, 16, 3, { padding: 1, stride: 2, bias: false }),
    new nn.BatchNorm2d(16),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(16, 16, 3, { padding: 1, stride: 2 }),
    new nn.LeakyReLU(0.1),
  );
  fcs = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(16 * 4 * 4, 32),
    new nn.Dropout(0.1),
    new nn.LeakyReLU(0.1),
    new nn.Linear(32, S * S * (CLASSES + 5 * 2)),
  );

  forward(x: nn.Tensor): nn.Tensor {
    return this.fcs.forward(this.features.forward(x));
  }
}

/** Of each image one box: of class 0 a red one, of class 1 a green one. In training it is a pixel to the right every other epoch. */
function boxes(count: number, seed: number): DetectionDataset {
  const images = Array.from({ length: count }, (_, i) => {
    const [a, b, c, d] = draw(seed, "crop", 0, i);
    const [x1, y1] = [integer(a, 9), integer(b, 9)];
    const box = { x1, y1, x2: x1 + 4 + integer(c, 3), y2: y1 + 4 + integer(d, 3) };
    const objects: LabelledBox[] = [{ box, label: i % CLASSES, difficult: false, truncated: false }];
    return { name: String(i), path: `${i}.png`, width: SIDE, height: SIDE, objects };
  });
  const bytes = SIDE * SIDE * 3, numbers = S * S * 5;
  const dataset: DetectionDataset = {
    name: "boxes",
    classes: ["red", "green"],
    width: SIDE,
    height: SIDE,
    channels: 3,
    count,
    target: { dtype: "f32", shape: [numbers] },
    images,
    split_size: S,
    ahead: 1,
    objects(sample, at) {
      const shift = at ? at.epoch % 2 : 0;
      return images[sample]!.objects.map(({ box: { x1, y1, x2, y2 }, ...rest }) => ({
        box: { x1: x1 + shift, y1, x2: x2 + shift, y2 },
        ...rest,
      }));
    },
    fill(batch, samples, at) {
      batch.moves.fill(0);
      const target = batch.target as Float32Array;
      fillEmptyTarget(target);
      for (const [slot, sample] of samples.entries()) {
        const objects = dataset.objects(sample, at);
        const extent = { width: SIDE, height: SIDE, objects };
        fillTarget(target.subarray(slot * numbers, (slot + 1) * numbers), extent, S);
        const pixels = batch.pixels.subarray(slot * bytes, (slot + 1) * bytes).fill(20);
        for (const { box: { x1, y1, x2, y2 }, label } of objects) {
          for (let y = y1; y < y2; y++) {
            for (let x = x1; x < x2; x++) pixels[(y * SIDE + x) * 3 + label] = 230;
          }
        }
      }
    },
    pick: () => dataset,
    contents: () => [],
  };
  return dataset;
}

export function tinyBoxes(): DatasetSplit<DetectionDataset> {
  return {
    train: boxes(20, 1),
    test: boxes(11, 2),
    normalize: { mean: [0.4, 0.4, 0.4], std: [0.2, 0.2, 0.2] },
    notes: [],
  };
}
