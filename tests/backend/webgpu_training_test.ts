/** Whole runs on WebGPU beside the CPU's: networks of several kinds, detectors, and checkpoints that move between the two. */
import assert from "node:assert/strict";
import type { Backend, NumberArray } from "../../core/backend/backend.ts";
import type { DatasetSplit } from "../../core/data/dataset.ts";
import { inMemory } from "../../core/data/memory.ts";
import { readSafetensors, type Safetensors, writeSafetensors } from "../../core/format/safetensors.ts";
import type { Module } from "../../core/nn/mod.ts";
import type { OptimizerOptions } from "../../core/optim/optimizer.ts";
import { readHeader, restore, toCheckpoint } from "../../core/train/checkpoint.ts";
import { classification } from "../../core/train/classification.ts";
import { detection, type DetectionResult } from "../../core/train/detection.ts";
import type { TestResult } from "../../core/train/evaluation.ts";
import type { Judged } from "../../core/train/task.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "../../core/train/trainer.ts";
import { maxError, maxMagnitude } from "../../core/verify/case.ts";
import { models } from "../../models/registry.ts";
import { assertClose } from "../support/close.ts";
import { onWebgpu } from "../support/on_backends.ts";
import { backendFor } from "../support/run_op.ts";
import { tinyBoxes, TinyDetector } from "../support/tiny_boxes.ts";
import { tinyOptions } from "../support/tiny.ts";
import { uniform } from "../support/uniform.ts";

type Options<Result extends Judged = TestResult> = Omit<TrainerOptions<Result>, "backend">;
type States = ReadonlyMap<string, NumberArray>;

async function begun<Result extends Judged>(
  options: Options<Result>,
  backend: Backend,
): Promise<Trainer<Result>> {
  const trainer = createTrainer<Result>({ ...options, backend });
  await trainer.initialise();
  return trainer;
}

async function statesOf({ session }: Pick<Trainer, "session">): Promise<States> {
  const entries = session.stateNames.map(async (name) => [name, await session.readState(name)] as const);
  return new Map(await Promise.all(entries));
}

async function lossesOf<Result extends Judged>(trainer: Trainer<Result>, steps: number): Promise<number[]> {
  const losses: number[] = [];
  while (losses.length < steps) losses.push((await trainer.step()).loss);
  return losses;
}

/** Some steps on a backend: their losses, and how far they moved each state. */
async function moved<Result extends Judged>(
  options: Options<Result>,
  backend: Backend,
  steps: number,
  from?: States,
) {
  const trainer = await begun(options, backend), { session } = trainer;
  from?.forEach((data, name) => session.writeState(name, data));
  const before = await statesOf(trainer);
  const losses = await lossesOf(trainer, steps);
  const after = await statesOf(trainer);
  session.dispose();
  const distance = (data: NumberArray, name: string) =>
    Float32Array.from(data, (x, i) => x - before.get(name)![i]!);
  return { before, losses, moves: new Map([...after].map(([name, data]) => [name, distance(data, name)])) };
}

/** From the same weights the same steps: losses alike, and each state moved by the same, but for a share of its largest move. */
async function assertAlike<Result extends Judged>(
  options: Options<Result>,
  steps: number,
  share: number,
): Promise<void> {
  const cpu = await moved(options, await backendFor({ threads: 2 }), steps);
  const gpu = await moved(options, await backendFor("webgpu"), steps, cpu.before);
  assertClose(gpu.losses, cpu.losses, { relative: 1e-5 }, "losses");
  for (const [name, move] of cpu.moves) {
    const error = maxError(gpu.moves.get(name)!, move), most = maxMagnitude(move);
    // Weights about 1 are rounded to 1.2e-7.
    assert.ok(error <= share * most + 3e-7, `${name} moves by up to ${most}, and differs by ${error}`);
  }
}

/** Images for networks of more than a few layers, of all brightnesses. */
function noise(size: number): DatasetSplit {
  const count = 8, bytes = 3 * size * size;
  const images = Uint8Array.from(uniform(1, count * bytes, 0, 255));
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  const shape = { width: size, height: size, channels: 3 };
  const data = inMemory({ name: "noise", classes: ["a", "b", "c"], ...shape, images, labels }, {
    padding: 0,
    hflip: 0,
  });
  return { train: data, test: data, normalize: { mean: [0.5, 0.5, 0.5], std: [0.3, 0.3, 0.3] }, notes: [] };
}

function optionsFor(model: Module, size: number, optimizer: OptimizerOptions): Options {
  const plain = { epochs: 2, lr: () => 0.01, task: classification(), seed: 7 };
  return { model, data: noise(size), batch_size: 4, optimizer, ...plain };
}

/** Behind 53 norms more is left of what was rounded. */
const NETWORKS: readonly [name: string, size: number, steps: number, share: number, OptimizerOptions][] = [
  ["resnet8_keras", 32, 2, 1e-4, { name: "sgd", momentum: 0.9, weight_decay: 1e-3 }],
  ["squeezenet1_1", 64, 2, 1e-4, { name: "sgd", momentum: 0.9, nesterov: true }],
  ["mobilenet_v2", 64, 1, 5e-3, { name: "sgd" }],
];

for (const [name, size, steps, share, optimizer] of NETWORKS) {
  onWebgpu(`${name} takes the steps that it takes on the CPU, with the same dropout`, async () => {
    const model = models[name]!.create({ num_classes: 3, input_size: [size, size] });
    await assertAlike(optionsFor(model, size, optimizer), steps, share);
  });
}

function tinyDetector(): Options<DetectionResult> {
  const model = new TinyDetector();
  const task = detection(model.map);
  const rest = { lr: () => 0.003, seed: 5, accumulate: 2, clip_grad: 10, ema_decay: 0.9 };
  return {
    model,
    data: tinyBoxes(),
    batch_size: 4,
    epochs: 2,
    optimizer: { name: "sgd" },
    task,
    ...rest,
  } as const;
}

onWebgpu("gradients gathered, clipped and averaged are the CPU's", async () => {
  await assertAlike({ ...tinyOptions(), optimizer: { name: "sgd", momentum: 0.9 } }, 7, 1e-4);
});

onWebgpu("a detector takes the steps that it takes on the CPU", async () => {
  await assertAlike(tinyDetector(), 4, 1e-4);
});

/** What a file keeps of a run. */
async function saved({ session, progress }: Trainer, { model }: Options): Promise<Safetensors> {
  const header = { model: "tiny", progress, config: {} };
  const { tensors, metadata } = await toCheckpoint(model, session, header, { optimizer: true });
  return readSafetensors(writeSafetensors(tensors, metadata));
}

function resumed(file: Safetensors, options: Options, backend: Backend): Trainer {
  const trainer = createTrainer({ ...options, backend });
  restore(options.model, trainer.session, file, "test");
  Object.assign(trainer.progress, readHeader(file.metadata, "test")!.progress);
  return trainer;
}

onWebgpu("a run that is resumed there ends with the bits of one that was not cut", async () => {
  const options = tinyOptions(), backend = await backendFor("webgpu");
  const whole = await begun(options, backend);
  const losses = await lossesOf(whole, 9);
  const before = await begun(options, backend);
  const early = await lossesOf(before, 4);
  const after = resumed(await saved(before, options), options, backend);
  assert.deepEqual([...early, ...await lossesOf(after, 5)], losses);
  assert.deepEqual(await statesOf(after), await statesOf(whole));
  for (const { session } of [whole, before, after]) session.dispose();
});

onWebgpu("a checkpoint goes on on the other device, either way", async () => {
  const options = tinyOptions();
  const devices = [await backendFor({ threads: 2 }), await backendFor("webgpu")] as const;
  for (const [from, to] of [devices, devices.toReversed() as [Backend, Backend]]) {
    const before = await begun(options, from);
    await lossesOf(before, 5);
    const file = await saved(before, options);
    const after = resumed(file, options, to);
    // What was saved is there to the bit, and the same steps follow.
    assert.deepEqual(await statesOf(after), await statesOf(before));
    assertClose(
      await lossesOf(after, 4),
      await lossesOf(before, 4),
      { relative: 1e-4 },
      `${from.name} to ${to.name}`,
    );
    const score = await after.evaluate(), expected = await before.evaluate();
    assertClose([score.loss, score.score], [expected.loss, expected.score], { relative: 1e-4 });
    for (const { session } of [before, after]) session.dispose();
  }
});
