import assert from "node:assert/strict";
import { join } from "node:path";
import { readConfig } from "../../cli/settings/config_file.ts";
import {
  changeSettings,
  resolveSettings,
  type SettingFlags,
  type Settings,
} from "../../cli/settings/settings.ts";
import { recipeFile, recipeNames } from "../../cli/recipes.ts";
import { withFolder } from "../support/temp_folder.ts";

async function read(content: unknown) {
  let found: Awaited<ReturnType<typeof readConfig>> | undefined;
  await withFolder(async (folder) => {
    const file = join(folder, "c.json");
    await Deno.writeTextFile(file, typeof content === "string" ? content : JSON.stringify(content));
    found = await readConfig(file);
  });
  return found!;
}

Deno.test("a configuration has the names of config.json, and values as flags have them", async () => {
  const { flags, whole, model_options } = await read({
    model: "resnet18",
    model_options: { cifar_stem: true },
    batch_size: 32,
    scheduler: "multistep",
    milestones: [3, 6],
    ema: true,
    pretrained: "weights.pth",
    freeze: ["layer1", "layer2"],
    max_time: "1h30m",
    description: "a recipe",
  });
  assert.equal(whole, false);
  assert.deepEqual(model_options, { cifar_stem: true });
  const settings = changeSettings(flags);
  assert.deepEqual(
    [settings.batch_size, settings.milestones, settings.ema, settings.freeze, settings.max_time],
    [32, [3, 6], true, ["layer1", "layer2"], 5400],
  );
});

Deno.test("what settings come to, read again, comes to the same; then flags may change it", async () => {
  for (
    const flags of [
      {},
      { optimizer: "sgd", scheduler: "step", ema: true, pretrained: "a", freeze: ["*"] } as const,
    ]
  ) {
    const settings = changeSettings(flags);
    const { flags: again, whole } = await read(settings);
    assert.ok(whole);
    const { model_options: _, ...expected } = settings;
    const found = Object.fromEntries(
      Object.entries(again).map(([name, value]) => [name.replaceAll("-", "_"), value]),
    );
    assert.deepEqual(changeSettings({}, found), { ...expected, model_options: {} });
  }
});

Deno.test("every mistake in a configuration has its line", async () => {
  const cases: [unknown, RegExp][] = [
    [{ epoch: 5 }, /c\.json: there is no setting epoch; did you mean epochs\?$/],
    [{ colour: 5 }, /c\.json: there is no setting colour; --print-config shows them all$/],
    [{ epochs: 0 }, /c\.json: epochs must be a whole number of 1 or more, not "0"$/],
    [{ epochs: true }, /c\.json: epochs must be a value as in the help: N$/],
    [{ epochs: { a: 1 } }, /c\.json: epochs must be/],
    [{ ema: 1 }, /c\.json: ema must be true or false$/],
    [{ optimizer: "adm" }, /c\.json: optimizer adm: there is none of that name; did you mean adam\?/],
    [{ model_options: [1] }, /c\.json: model_options must be an object/],
    ["{", /c\.json: not JSON/],
    ["[1]", /c\.json: must be an object of settings/],
  ];
  for (const [content, message] of cases) await assert.rejects(read(content), message);
  await assert.rejects(readConfig("/nowhere.json"), /\/nowhere\.json: cannot be read/);
  await assert.rejects(recipeFile("digts"), /--recipe digts: .* did you mean digits\?/);
});

Deno.test("every recipe that comes with Strata resolves, and says what it is", async () => {
  for (const name of await recipeNames()) {
    const file = await recipeFile(name);
    changeSettings((await readConfig(file)).flags);
    const { description } = JSON.parse(await Deno.readTextFile(file));
    assert.ok(description.length > 0 && name.length + description.length < 76, name);
  }
});

Deno.test("settings that contradict each other or have no effect are refused", () => {
  const cases: [Parameters<typeof changeSettings>[0], RegExp][] = [
    [{ "ema-decay": 0.9 }, /--ema-decay has no effect without --ema$/],
    [{ ema: true, "ema-decay": 1 }, /--ema-decay must be below 1/],
    [{ optimizer: "adam", "no-wd-on-norm": true }, /--no-wd-on-norm has no effect without weight decay/],
    [{ "early-stop": false, patience: 3 }, /--patience has no effect with --no-early-stop$/],
    [{ "overfit-batches": 1, "limit-batches": 2 }, /both say how many batches/],
    [{ "overfit-batches": 1, mixup: 0.2 }, /leave out --mixup and --cutmix$/],
    [
      { scheduler: "multistep", milestones: [20], epochs: 10 },
      /--milestones 20 is never reached in 10 epochs/,
    ],
    [{ freeze: ["*"] }, /--freeze would keep random weights: give the trained ones with --pretrained$/],
    [
      { cutmix: 1, "batch-size": 1 },
      /--cutmix has no effect with --batch-size 1: it mixes the images of a batch$/,
    ],
    [{ partial: true }, /--partial has no effect without --pretrained$/],
    [{ scheduler: "cosine", "min-lr": 1 }, /--min-lr 1 must not be above the 0\.002 of --lr$/],
  ];
  for (const [flags, message] of cases) assert.throws(() => changeSettings(flags), message);
  assert.equal(changeSettings({ patience: 3 }).early_stop, true);
});

Deno.test("a resumed run keeps its options, and what can't change is refused", () => {
  const before = resolveSettings({ ema: true, accumulate: 2, mixup: 0.2, "clip-grad": 1 });
  assert.deepEqual(resolveSettings({}, before), before);
  assert.equal(resolveSettings({ mixup: 0 }, before).mixup, 0);
  assert.throws(
    () => resolveSettings({ ema: false }, before),
    /--no-ema does not go with --resume: that run has it$/,
  );
  assert.throws(() => resolveSettings({ accumulate: 4 }, before), /--accumulate 4 .*: that run has 2$/);
  assert.throws(() => resolveSettings({ freeze: ["*"] }, before), /--freeze \* .*: that run has none$/);
  // Runs from before there were such options.
  const { ema: _, accumulate: __, freeze: ___, ...old } = before;
  assert.equal(resolveSettings({}, old as typeof before).accumulate, 1);
});

Deno.test("what files say gives way to flags of the command line", () => {
  type Case = [file: SettingFlags, asked: SettingFlags, expected: Partial<Settings>];
  const tuned = { pretrained: "a.pth", freeze: ["*"], partial: true };
  const cases: Case[] = [
    [{ dataset: "folder", scale: [0.35, 1] }, { "no-aug": true }, { no_aug: true }],
    [{ scheduler: "cosine", "min-lr": 1e-5 }, { scheduler: "step" }, { scheduler: "step" }],
    [{ scheduler: "multistep", milestones: [3, 20] }, { epochs: 5 }, { epochs: 5 }],
    [{ optimizer: "sgd", nesterov: true }, { momentum: 0 }, { nesterov: false, momentum: 0 }],
    [{ optimizer: "sgd", nesterov: true }, { optimizer: "adam" }, { optimizer: "adam" }],
    [{ "no-wd-on-norm": true }, { "weight-decay": 0 }, { weight_decay: 0 }],
    [{ ema: true, "ema-decay": 0.9 }, { ema: false }, { ema: false }],
    [{ patience: 5 }, { "early-stop": false }, { early_stop: false }],
    [{ mixup: 0.2, "limit-batches": 3 }, { "overfit-batches": 1 }, { mixup: 0, limit_batches: 0 }],
    [{ "overfit-batches": 1 }, { "limit-batches": 3 }, { overfit_batches: 0, limit_batches: 3 }],
    [{ "overfit-batches": 1 }, { cutmix: 1 }, { overfit_batches: 0, cutmix: 1 }],
    [tuned, { pretrained: "" }, { pretrained: "", freeze: [], partial: false }],
    [tuned, { freeze: [] }, { pretrained: "a.pth", freeze: [] }],
    [{ mixup: 0.2 }, { dataset: "boxes", data: "photos" }, { mixup: 0 }],
    [{ dataset: "folder", "val-split": 0.3 }, { dataset: "digits" }, { dataset: "digits" }],
  ];
  for (const [file, asked, expected] of cases) {
    const settings = changeSettings({ ...file, ...asked }, undefined, asked);
    const found = Object.keys(expected).map((name) => [name, settings[name as keyof Settings]]);
    assert.deepEqual(Object.fromEntries(found), expected);
    // So does a file that says everything.
    const over = changeSettings(asked, changeSettings(file, undefined, {}), asked);
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(over[name as keyof Settings], value, name);
    }
  }
  const bothAsked = { "overfit-batches": 1, mixup: 0.2 };
  assert.throws(() => changeSettings({ epochs: 3, ...bothAsked }, undefined, bothAsked), /leave out --mixup/);
});
