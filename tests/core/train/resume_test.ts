/** Runs with every option that keeps a state, cut anywhere, end with the bits of those that were not. */
import assert from "node:assert/strict";
import { parseStateDict } from "../../../core/format/read_state_dict.ts";
import { readSafetensors, type Safetensors, writeSafetensors } from "../../../core/format/safetensors.ts";
import { matchStateDict } from "../../../core/nn/match_state_dict.ts";
import { readHeader, restore, toCheckpoint } from "../../../core/train/checkpoint.ts";
import { endOf } from "../../../core/train/progress.ts";
import { loadPretrained } from "../../../core/train/pretrained.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "../../../core/train/trainer.ts";
import { backendFor } from "../../support/run_op.ts";
import { TinyNet, tinyOptions } from "../../support/tiny.ts";
import { classification } from "../../../core/train/classification.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

async function optionsFor(threads = 2): Promise<TrainerOptions> {
  return { backend: await backendFor({ threads }), ...tinyOptions() };
}

async function statesOf({ session }: Trainer): Promise<Map<string, Int32Array>> {
  const entries = session.stateNames.map(async (name) => {
    const data = await session.readState(name);
    return [name, new Int32Array(data.buffer, 0, data.length)] as const;
  });
  return new Map(await Promise.all(entries));
}

/** Puts into a trainer what a checkpoint is judged by. */
async function judge({ session }: Trainer, { tensors, metadata }: Safetensors): Promise<void> {
  const weights = await parseStateDict(writeSafetensors(tensors, metadata), "file");
  loadPretrained(session, matchStateDict(new TinyNet(), weights));
}

async function trainTo(trainer: Trainer, batches = Infinity): Promise<number[]> {
  const losses: number[] = [];
  for await (const event of trainer.train()) {
    if (event.type === "step") losses.push(event.loss);
    if (trainer.progress.batches >= batches) break;
  }
  return losses;
}

async function begun(options: TrainerOptions): Promise<Trainer> {
  const trainer = createTrainer(options);
  await trainer.initialise();
  return trainer;
}

Deno.test(
  "with all options a run is the same to the bit, cut between two updates or not",
  pooled,
  async () => {
    const options = await optionsFor();
    const whole = await begun(options);
    const losses = await trainTo(whole);
    assert.equal(losses.length, 18);
    assert.deepEqual([whole.progress.batches, whole.progress.updates], [18, 6]);
    const expected = await statesOf(whole);

    const single = await begun(await optionsFor(1));
    assert.deepEqual(await trainTo(single), losses);
    assert.deepEqual(await statesOf(single), expected);

    for (const stop of [1, 3, 5, 11]) {
      const before = await begun(options);
      const early = await trainTo(before, stop);
      const header = { model: "tiny", progress: before.progress, config: {} };
      const kept = await toCheckpoint(options.model, before.session, header, { optimizer: true });
      const file = readSafetensors(writeSafetensors(kept.tensors, kept.metadata));

      const after = createTrainer(options);
      restore(options.model, after.session, file, "test");
      Object.assign(after.progress, readHeader(file.metadata, "test")!.progress);
      assert.deepEqual([...early, ...await trainTo(after)], losses, `cut after ${stop} batches`);
      assert.deepEqual(await statesOf(after), expected, `cut after ${stop} batches`);
      assert.deepEqual(after.progress, whole.progress);
      before.session.dispose();
      after.session.dispose();
    }
    whole.session.dispose();
    single.session.dispose();
  },
);

Deno.test("averages are what is tested, and kept as the weights of the best", pooled, async () => {
  const options = await optionsFor();
  const trainer = await begun(options);
  const { session } = trainer;
  const names = (await statesOf(trainer)).keys().filter((name) => name.startsWith("ema."));
  // They begin with the weights.
  for (const name of names) {
    assert.deepEqual(await session.readState(name), await session.readState(name.slice(4)), name);
  }
  await trainTo(trainer);
  const header = { model: "tiny", progress: trainer.progress, config: {} };
  const best = await toCheckpoint(options.model, session, header, { optimizer: false });
  assert.deepEqual(best.tensors.get("fc.weight")!.data, await session.readState("ema.fc.weight"));
  assert.notDeepEqual(best.tensors.get("fc.weight")!.data, await session.readState("fc.weight"));
  const mean = "features.1.running_mean";
  assert.deepEqual(best.tensors.get(mean)!.data, await session.readState(`ema.${mean}`));
  const score = await trainer.evaluate();

  // A run without averages gives these weights the same score; and so does this one, from either file.
  const plain = createTrainer({ ...options, ema_decay: 0 });
  await judge(plain, best);
  assert.deepEqual(await plain.evaluate(), score);
  const last = await toCheckpoint(options.model, session, header, { optimizer: true });
  for (const file of [best, last]) {
    const other = createTrainer(options);
    await judge(other, file);
    assert.deepEqual(await other.evaluate(), score);
    other.session.dispose();
  }
  const broken = await session.readState("ema.fc.bias");
  session.writeState("ema.fc.bias", broken.map(() => NaN));
  await assert.rejects(toCheckpoint(options.model, session, header, { optimizer: false }), /ema\.fc\.bias/);
  plain.session.dispose();
  session.dispose();
});

Deno.test(
  "training ends after so many updates, in an epoch's middle too, and goes on from there",
  pooled,
  async () => {
    const options = await optionsFor();
    const whole = await begun(options);
    const losses = await trainTo(whole);
    const trainer = await begun({ ...options, max_steps: 4 });
    const early = await trainTo(trainer);
    assert.deepEqual([trainer.progress.epoch, trainer.progress.step, trainer.progress.updates], [1, 3, 4]);
    assert.deepEqual(early, losses.slice(0, 12));
    whole.session.dispose();
    trainer.session.dispose();
  },
);

Deno.test("why training ends", () => {
  const at = {
    epoch: 6,
    step: 0,
    batches: 0,
    updates: 60,
    loss_sum: 0,
    seen: 0,
    figure_sums: {},
    best_score: 0,
  };
  const progress = { ...at, best_epoch: 4 };
  assert.equal(endOf(progress, { epochs: 10 }), undefined);
  assert.equal(endOf(progress, { epochs: 6 }), "epochs");
  assert.equal(endOf(progress, { epochs: 10, patience: 3 }), undefined);
  assert.equal(endOf(progress, { epochs: 10, patience: 2 }), "patience");
  assert.equal(endOf({ ...progress, step: 1 }, { epochs: 10, patience: 2 }), undefined);
  assert.equal(endOf(progress, { epochs: 10, max_steps: 60 }), "max_steps");
  assert.equal(endOf(progress, { epochs: 10, max_steps: 61 }), undefined);
});

Deno.test("limited batches train and test on fewer images", pooled, async () => {
  const options = { ...await optionsFor(), task: classification() };
  const trainer = await begun({ ...options, limit_batches: 4 });
  const events = await Array.fromAsync(trainer.train());
  assert.equal(events.filter(({ type }) => type === "step").length, 2 * 3);
  assert.equal(events.filter(({ type }) => type === "evaluate").length, 2 * 4);
  assert.ok(Math.abs((await trainer.evaluate()).score * 16 % 1) < 1e-9);
  trainer.session.dispose();
  assert.throws(
    () => createTrainer({ ...options, limit_batches: 2 }),
    /^UserError: --accumulate 3: an epoch has 2 batches, .* use at most 2$/,
  );
});
