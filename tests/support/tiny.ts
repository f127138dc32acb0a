/** A network and data so small that a run takes no time: for tests of the loop, not of learning. */
import type { DatasetSplit } from "../../core/data/dataset.ts";
import { inMemory, type MemoryDataset } from "../../core/data/memory.ts";
import * as nn from "../../core/nn/mod.ts";
import { keyOf, philox } from "../../core/random.ts";
import { classification } from "../../core/train/classification.ts";
import type { TrainerOptions } from "../../core/train/trainer.ts";

/** Two convolutions with everything that keeps state: batch norm, dropout. */
export class TinyNet extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1, stride: 2, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.Conv2d(8, 8, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Dropout(0.25),
  );
  fc = new nn.Linear(8, 2);

  forward(x: nn.Tensor): nn.Tensor {
    return this.fc.forward(this.features.forward(x));
  }
}

/** Noise; images of class 1 are brighter on the left. */
function noise(count: number, seed: number): MemoryDataset {
  const size = 8 * 8 * 3;
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 2);
  const images = Uint8Array.from({ length: count * size }, (_, i) => {
    const column = Math.floor(i / 3) % 8;
    const bright = labels[Math.floor(i / size)] === 1 && column < 4 ? 60 : 0;
    return philox(keyOf(seed), [i, 0, 0, 0])[0] % 180 + bright;
  });
  const shape = { width: 8, height: 8, channels: 3 };
  return inMemory({ name: "noise", classes: ["dark", "bright"], ...shape, images, labels }, {
    padding: 1,
    hflip: 0.5,
  });
}

export function tinyData(): DatasetSplit<MemoryDataset> {
  return {
    train: noise(40, 1),
    test: noise(22, 2),
    normalize: { mean: [0.4, 0.4, 0.4], std: [0.2, 0.2, 0.2] },
    notes: [],
  };
}

/** A run with everything that a step may do beside its update: epochs of 10 batches of 4 images, 3 updates of 3 batches. */
export function tinyOptions(): Omit<TrainerOptions, "backend"> {
  return {
    model: new TinyNet(),
    data: tinyData(),
    batch_size: 4,
    epochs: 2,
    optimizer: { name: "adamw" },
    lr: (epochs) => 0.02 * (1 - epochs / 4),
    task: classification({ label_smoothing: 0.1, mix: { mixup: 0.5, cutmix: 1 } }),
    seed: 5,
    accumulate: 3,
    clip_grad: 0.5,
    ema_decay: 0.9,
  };
}
