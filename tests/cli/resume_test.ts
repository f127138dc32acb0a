import assert from "node:assert/strict";
import { newProgress } from "../../core/train/progress.ts";
import { resumable } from "../../cli/resume.ts";
import {
  changeSettings,
  givenSettings,
  type SettingFlags,
  type Settings,
} from "../../cli/settings/settings.ts";

const run = { model: "vgg16_cifar", dataset: "cifar10", data: "/pictures", ema: true, epochs: 5 } as const;

interface Asked {
  /** Epochs that are done. */
  readonly done?: number;
  /** What the networks' own flags set. */
  readonly options?: Settings["model_options"];
  /** Of the run. */
  readonly before?: Settings["model_options"];
}

/** Whether `--resume auto` with such flags goes on with that run. */
function isMeant(flags: SettingFlags, { done = 2, options = {}, before = {} }: Asked = {}): boolean {
  const config = { ...changeSettings(run), model_options: before, images: {}, methods: {} };
  const metadata = {
    "strata.format": "1",
    "strata.model": run.model,
    "strata.progress": JSON.stringify({ ...newProgress(), epoch: done }),
    "strata.config": JSON.stringify(config),
  };
  return resumable({ folder: "runs/a", metadata }, { ...givenSettings(flags), model_options: options });
}

Deno.test("--resume auto means the newest run that can go on with what is given, and with nothing any", () => {
  for (
    const flags of [
      {},
      { model: "vgg16_cifar" },
      { data: "/pictures/" },
      run,
      { "batch-size": 100, lr: 0.1, mixup: 0.2 },
      { epochs: 3 },
    ] satisfies SettingFlags[]
  ) assert.ok(isMeant(flags), JSON.stringify(flags));
  for (
    const flags of [
      { model: "resnet50" },
      { dataset: "mnist" },
      { data: "/others" },
      { "batch-size": 32 },
      { "val-split": 0.3 },
      { ema: false },
      { pretrained: "a.pth" },
      { epochs: 2 },
      { patience: 2 },
    ] satisfies SettingFlags[]
  ) assert.ok(!isMeant(flags), JSON.stringify(flags));
  assert.ok(!isMeant({}, { done: 5 }));
  assert.ok(isMeant({ epochs: 6 }, { done: 5 }));
  assert.ok(!resumable({ folder: "runs/a", metadata: { "strata.format": "0" } }, {}));
});

Deno.test("--resume auto passes by runs of the same network with other options", () => {
  const options = { cifar_stem: true };
  assert.ok(isMeant({}, { options, before: options }));
  assert.ok(isMeant({}, { before: options }));
  assert.ok(!isMeant({}, { options }));
  assert.ok(!isMeant({}, { options, before: { cifar_stem: false } }));
});

Deno.test("--resume auto passes by runs whose checkpoints are damaged, however they are", () => {
  const config = { ...changeSettings(run), model_options: {}, images: {}, methods: {} };
  const isKnown = (progress: unknown, config: unknown) =>
    resumable({
      folder: "runs/a",
      metadata: {
        "strata.format": "1",
        "strata.model": run.model,
        "strata.progress": JSON.stringify(progress),
        "strata.config": JSON.stringify(config),
      },
    }, {});
  const progress = newProgress();
  assert.ok(isKnown(progress, config));
  assert.ok(isKnown(progress, { ...config, "of another version": [{}] }));
  const { data: _, ...homeless } = config;
  for (
    const damaged of [
      ...[null, 5, [], "", homeless],
      ...[{ model: 5 }, { epochs: "many" }, { ema: 1 }, { freeze: {} }].map((wrong) => ({
        ...config,
        ...wrong,
      })),
    ]
  ) assert.ok(!isKnown(progress, damaged), JSON.stringify(damaged));
  for (
    const damaged of [
      null,
      ...[{ epoch: "1" }, { best_score: null }, { figure_sums: { accuracy: "a" } }]
        .map((
          wrong,
        ) => ({ ...progress, ...wrong })),
    ]
  ) assert.ok(!isKnown(damaged, config), JSON.stringify(damaged));
});
