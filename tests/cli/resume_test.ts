import assert from "node:assert/strict";
import { newProgress } from "../../core/train/progress.ts";
import { resumable } from "../../cli/resume.ts";
import { changeSettings, givenSettings, type SettingFlags } from "../../cli/settings/settings.ts";

const run = { model: "vgg16_cifar", dataset: "cifar10", data: "/pictures", ema: true, epochs: 5 } as const;

/** Whether `--resume auto` with such flags goes on with that run, of which so many epochs are done. */
function isMeant(flags: SettingFlags, done = 2): boolean {
  const config = { ...changeSettings(run), images: {}, methods: {} };
  const metadata = {
    "strata.format": "1",
    "strata.model": run.model,
    "strata.progress": JSON.stringify({ ...newProgress(), epoch: done }),
    "strata.config": JSON.stringify(config),
  };
  return resumable({ folder: "runs/a", metadata }, givenSettings(flags));
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
      { ema: false },
      { pretrained: "a.pth" },
      { epochs: 2 },
      { patience: 2 },
    ] satisfies SettingFlags[]
  ) assert.ok(!isMeant(flags), JSON.stringify(flags));
  assert.ok(!isMeant({}, 5));
  assert.ok(isMeant({ epochs: 6 }, 5));
  assert.ok(!resumable({ folder: "runs/a", metadata: { "strata.format": "0" } }, {}));
});
