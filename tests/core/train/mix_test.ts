import assert from "node:assert/strict";
import { inMemory } from "../../../core/data/memory.ts";
import * as nn from "../../../core/nn/mod.ts";
import { classification } from "../../../core/train/classification.ts";
import { drawMix, mixed } from "../../../core/train/mix.ts";
import { createTrainer } from "../../../core/train/trainer.ts";
import { backendFor, runOp } from "../../support/run_op.ts";

const image = [32, 24] as const;
const places = Array.from({ length: 4000 }, (_, step) => ({ seed: 3, epoch: 1, step }));

Deno.test("a mix depends on its place alone", () => {
  const options = { mixup: 0.4, cutmix: 1 };
  const place = { seed: 3, epoch: 2, step: 7 };
  assert.deepEqual(drawMix(options, image, place), drawMix(options, image, { ...place }));
  for (const other of [{ ...place, seed: 4 }, { ...place, epoch: 3 }, { ...place, step: 8 }]) {
    assert.notDeepEqual(drawMix(options, image, other), drawMix(options, image, place));
  }
});

Deno.test("shares follow the beta distribution", () => {
  for (const alpha of [0.1, 0.5, 1, 4]) {
    const shares = places.map((place) => drawMix({ mixup: alpha, cutmix: 0 }, image, place).share);
    assert.ok(shares.every((share) => share >= 0 && share <= 1));
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
    assert.ok(Math.abs(mean - 0.5) < 0.02, `${alpha}: mean ${mean}`);
    // Of beta(α, α): 1 / (4 (2 α + 1)).
    assert.ok(Math.abs(variance * 4 * (2 * alpha + 1) - 1) < 0.08, `${alpha}: variance ${variance}`);
  }
});

Deno.test("boxes lie within the image, and the share is what they leave", () => {
  const [height, width] = image;
  for (const place of places.slice(0, 500)) {
    const { mix, share } = drawMix({ mixup: 0, cutmix: 1 }, image, place);
    const [own, top, left, bottom, right] = mix as [number, number, number, number, number];
    assert.equal(own, 1);
    assert.ok(0 <= top && top <= bottom && bottom <= height && 0 <= left && left <= right && right <= width);
    assert.ok(Math.abs(share - (1 - (bottom - top) * (right - left) / (height * width))) < 1e-12);
  }
});

Deno.test("where both are asked for, half of the batches take either", () => {
  const cut = places.filter((place) => drawMix({ mixup: 1, cutmix: 1 }, image, place).mix[0] === 1).length;
  assert.ok(Math.abs(cut / places.length - 0.5) < 0.03, `${cut}`);
});

Deno.test(
  "mixed images of bytes are the op's",
  { sanitizeOps: false, sanitizeResources: false },
  async () => {
    const [height, width, channels] = [6, 5, 3], count = height * width * channels;
    const images = [0, 1].map((i) => ({
      ...{ width, height, channels },
      data: Uint8Array.from({ length: count }, (_, j) => (j * 37 + i * 101) % 256),
    }));
    for (const options of [{ mixup: 1, cutmix: 0 }, { mixup: 0, cutmix: 1 }]) {
      const mix = drawMix(options, [height, width], { seed: 1, epoch: 0, step: 0 });
      // From rows of pixels to the op's channels first, and back.
      const planes = images.flatMap(({ data }) =>
        Array.from({ length: channels }, (_, c) => [...data].filter((_, i) => i % channels === c)).flat()
      );
      const x = { shape: [2, channels, height, width], data: planes };
      const [y] = await runOp("mix_images", [x, { shape: [5], data: mix.mix }], {}, { threads: 1 });
      const expected = Array.from({ length: count }, (_, i) => {
        return Math.round(y![i % channels * height * width + Math.floor(i / channels)]!);
      });
      assert.deepEqual([...mixed(images[0]!, images[1]!, mix).data], expected);
    }
  },
);

/** Tells bright images from dark ones by their mean. */
class Brightness extends nn.Module {
  fc = new nn.Linear(3, 2, { bias: false });

  forward(x: nn.Tensor): nn.Tensor {
    return this.fc.forward(nn.flatten(nn.adaptiveAvgPool2d(x, 1)));
  }
}

Deno.test(
  "an image counts as right by the class that has most of it, its partner's too",
  { sanitizeOps: false, sanitizeResources: false },
  async () => {
    const [count, size] = [32, 8 * 8 * 3];
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 2);
    const images = Uint8Array.from({ length: count * size }, (_, i) => 255 * labels[Math.floor(i / size)]!);
    const shape = { width: 8, height: 8, channels: 3 };
    const black = inMemory(
      { name: "black and white", classes: ["black", "white"], ...shape, images, labels },
      {
        padding: 0,
        hflip: 0,
      },
    );
    const normalize = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    for (const mix of [{ mixup: 1, cutmix: 0 }, { mixup: 0, cutmix: 1 }]) {
      const trainer = createTrainer({
        backend: await backendFor({ threads: 1 }),
        model: new Brightness(),
        data: { train: black, test: black, normalize, notes: [] },
        batch_size: 4,
        epochs: 4,
        optimizer: { name: "sgd" },
        lr: () => 0,
        task: classification({ mix }),
        seed: 1,
      });
      await trainer.initialise();
      trainer.session.writeState("fc.weight", Float32Array.of(-1, -1, -1, 1, 1, 1));
      const shares: number[] = [];
      for await (const event of trainer.train()) {
        if (event.type !== "step") continue;
        assert.equal(event.own["accuracy"], 1, `epoch ${event.epoch}, step ${event.step}`);
        const place = { seed: 1, epoch: event.epoch - 1, step: event.step - 1 };
        shares.push(drawMix(mix, [8, 8], place).share);
      }
      assert.ok(shares.some((share) => share < 0.5) && shares.some((share) => share > 0.5));
      trainer.session.dispose();
    }
  },
);
