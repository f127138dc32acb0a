/** Recipes beside PyTorch, whose results tests/fixtures/recipes/make.py wrote. */
import assert from "node:assert/strict";
import * as nn from "../../../core/nn/mod.ts";
import { freeze } from "../../../core/train/head.ts";
import { sessionGraphs } from "../../../core/train/graphs.ts";
import { newProgress } from "../../../core/train/progress.ts";
import { averageName } from "../../../core/train/step.ts";
import { stepNumbers } from "../../../core/train/step_numbers.ts";
import { sizeOf } from "../../../core/shape.ts";
import expected from "../../fixtures/recipes/expected.json" with { type: "json" };
import { assertClose } from "../../support/close.ts";
import { backendFor } from "../../support/run_op.ts";
import { classification } from "../../../core/train/classification.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

interface Recipe {
  readonly optimizer: string;
  readonly lr: number;
  readonly weight_decay: number;
  readonly clip_grad?: number;
  readonly accumulate?: number;
  readonly ema_decay?: number;
  readonly head?: number;
  readonly no_wd_on_norm?: boolean;
  readonly freeze?: boolean;
  readonly mix?: number[];
  readonly share?: number;
  readonly label_smoothing?: number;
}

interface Expected {
  readonly recipe: Recipe;
  readonly losses: number[];
  readonly norms: number[];
  readonly state: Readonly<Record<string, number[]>>;
  readonly average?: Readonly<Record<string, number[]>>;
}

const [BATCH, CLASSES, SIZE] = [4, 3, 6];

/** As in make.py. */
function network(): nn.Module {
  return new nn.Sequential(
    new nn.Conv2d(3, 4, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(4, CLASSES),
  );
}

function pixelsOf(step: number): number[] {
  return Array.from({ length: BATCH * SIZE * SIZE * 3 }, (_, i) => (37 * i * i + 11 * i + 101 * step) % 256);
}

async function check({ recipe, losses, norms, state, average }: Expected): Promise<void> {
  const { lr, weight_decay, accumulate = 1, clip_grad = 0, ema_decay = 0, mix } = recipe;
  const model = network();
  if (recipe.freeze) freeze(model, (name) => !name.startsWith("5."));
  const optimizer = recipe.optimizer === "adamw"
    ? { name: "adamw", weight_decay } as const
    : { name: "sgd", momentum: 0.9, nesterov: true, weight_decay } as const;
  const task = classification({
    label_smoothing: recipe.label_smoothing,
    mix: mix && { mixup: 1, cutmix: 0 }, // What is drawn is replaced below.
  });
  const image = { batch: BATCH, height: SIZE, width: SIZE, channels: 3 };
  const session = (await backendFor({ threads: 2 })).compile(sessionGraphs(model, {
    images: { ...image, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    optimizer,
    task,
    clip_grad,
    accumulate,
    ema: ema_decay > 0,
    rules: (name, { shape }) => ({
      ...(name.startsWith("5.") ? { lr_scale: recipe.head ?? 1 } : {}),
      ...(recipe.no_wd_on_norm && shape.length <= 1 ? { weight_decay: 0 } : {}),
    }),
  }));
  session.write("init", "rng", [0, 0, 0, 0]);
  await session.run("init");
  [...nn.namedParameters(model)].forEach(([name, { shape }], k) => {
    const start = Float32Array.from({ length: sizeOf(shape) }, (_, i) => 0.5 * Math.sin(i + 10 * k));
    session.writeState(name, start);
    if (session.stateNames.includes(averageName(name))) session.writeState(averageName(name), start);
  });

  const progress = newProgress();
  for (const [step, loss] of losses.entries()) {
    const numbers: Record<string, readonly number[]> = {
      ...stepNumbers({ optimizer, seed: 0, accumulate, ema_decay, task, image: [SIZE, SIZE] }, progress, lr),
      mix: mix ?? [],
      target_share: [recipe.share ?? 1],
      partner_share: [1 - (recipe.share ?? 1)],
      pixels: pixelsOf(step),
      moves: new Array(3 * BATCH).fill(0),
      target: Array.from({ length: BATCH }, (_, i) => (i * i + step) % CLASSES),
    };
    for (const input of session.inputNames("train")) session.write("train", input, numbers[input]!);
    await session.run("train");
    assertClose(await session.read("train", "loss"), [loss], { relative: 2e-6 }, `loss of step ${step}`);
    progress.step++;
    if (progress.step % accumulate !== 0) continue;
    const norm = norms[progress.updates++];
    if (norm) assertClose(await session.read("train", "grad_norm"), [norm], { relative: 1e-5 }, "norm");
  }
  const tolerance = { absolute: 5e-6 };
  for (const [name, values] of Object.entries(state)) {
    assertClose(await session.readState(name), values, tolerance, name);
  }
  for (const [name, values] of Object.entries(average ?? {})) {
    const kept = session.stateNames.includes(averageName(name)) ? averageName(name) : name;
    assertClose(await session.readState(kept), values, tolerance, averageName(name));
  }
  if (recipe.freeze) {
    assert.ok(
      session.stateNames.every((name) => !/\.[01]\./.test(name)),
      "frozen layers keep no more states",
    );
  }
  session.dispose();
}

for (const [name, example] of Object.entries(expected as unknown as Record<string, Expected>)) {
  Deno.test(`as PyTorch: ${name}`, pooled, () => check(example));
}
