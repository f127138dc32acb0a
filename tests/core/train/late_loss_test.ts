/** Steps that are begun before the loss of those before them is known: nothing comes out otherwise. */
import assert from "node:assert/strict";
import type { Backend, Session } from "../../../core/backend/backend.ts";
import { readSafetensors, writeSafetensors } from "../../../core/format/safetensors.ts";
import { readHeader, restore, toCheckpoint } from "../../../core/train/checkpoint.ts";
import { classification } from "../../../core/train/classification.ts";
import { FAILED } from "../../../core/train/step.ts";
import { NotFinite } from "../../../core/train/not_finite.ts";
import type { StepEvent } from "../../../core/train/steps.ts";
import { createTrainer, type Trainer } from "../../../core/train/trainer.ts";
import { onBackends } from "../../support/on_backends.ts";
import { tinyData, TinyNet } from "../../support/tiny.ts";
import { withDepth } from "../../support/with_depth.ts";

/** With everything that a step may do beside its update; 20 steps an epoch, so that many are under way. */
function optionsFor(backend: Backend) {
  return {
    backend,
    model: new TinyNet(),
    data: tinyData(),
    batch_size: 2,
    epochs: 2,
    optimizer: { name: "adamw", weight_decay: 1e-3 } as const,
    lr: (epochs: number) => 0.01 * (1 - epochs / 4),
    task: classification({ label_smoothing: 0.1, mix: { mixup: 0.2, cutmix: 1 } }),
    clip_grad: 1,
    ema_decay: 0.9,
    accumulate: 2,
    seed: 5,
  };
}

async function bitsOf(session: Session, names = session.stateNames): Promise<Map<string, Int32Array>> {
  const states = await Promise.all(names.map((name) => session.readState(name)));
  return new Map(states.map((data, i) => [names[i]!, new Int32Array(data.buffer, 0, data.length)]));
}

/** What no step behind a failed one may change. */
function keptNames({ session }: Trainer): string[] {
  return session.stateNames.filter((name) => !/running_(mean|var)$|^run\./.test(name));
}

async function tell(trainer: Trainer, events: StepEvent[], until = Infinity): Promise<void> {
  for await (const event of trainer.train()) {
    if (event.type === "step") events.push(event);
    if (events.length >= until) break;
  }
}

onBackends("steps that overlap train as steps one by one", async ({ backend }) => {
  const alone = createTrainer(optionsFor(backend));
  await alone.initialise();
  const expected: StepEvent[] = [];
  while (expected.length < 20) expected.push(await alone.step());
  const bits = await bitsOf(alone.session);
  alone.session.dispose();
  for (const depth of [1, 2, 7, 64]) {
    const trainer = createTrainer({ ...optionsFor(backend), epochs: 1, backend: withDepth(backend, depth) });
    await trainer.initialise();
    const events: StepEvent[] = [];
    await tell(trainer, events);
    assert.deepEqual(events, expected, `depth ${depth}`);
    assert.deepEqual(await bitsOf(trainer.session), bits, `depth ${depth}`);
    assert.equal(trainer.progress.epoch, 1);
    trainer.session.dispose();
  }
});

onBackends(
  "whoever leaves, or saves, while steps are under way goes on with the same bits",
  async ({ backend }) => {
    const options = optionsFor(withDepth(backend, 8));
    const whole = createTrainer(options);
    await whole.initialise();
    const expected: StepEvent[] = [];
    await tell(whole, expected);
    const bits = await bitsOf(whole.session);
    const left = createTrainer(options);
    await left.initialise();
    const events: StepEvent[] = [];
    await tell(left, events, 5);
    assert.ok(left.whole);
    assert.ok(left.progress.step >= 5 && left.progress.step < 20);
    const header = { model: "tiny", progress: left.progress, config: {} };
    const kept = await toCheckpoint(options.model, left.session, header, { optimizer: true });
    await tell(left, events);
    assert.deepEqual(events, expected);
    assert.deepEqual(await bitsOf(left.session), bits);

    const resumed = createTrainer(options),
      file = readSafetensors(writeSafetensors(kept.tensors, kept.metadata));
    restore(options.model, resumed.session, file, "test");
    Object.assign(resumed.progress, readHeader(file.metadata, "test")!.progress);
    const { step } = resumed.progress, later: StepEvent[] = [];
    for await (const event of resumed.train()) {
      if (event.type !== "step") continue;
      later.push(event);
      if (later.length === 3) await resumed.settle();
    }
    assert.deepEqual(later, expected.slice(step));
    assert.deepEqual(await bitsOf(resumed.session), bits);
    for (const { session } of [whole, left, resumed]) session.dispose();
  },
);

onBackends("max_steps is not passed by steps begun ahead", async ({ backend }) => {
  const trainer = createTrainer({ ...optionsFor(withDepth(backend, 8)), max_steps: 3 });
  await trainer.initialise();
  const events: StepEvent[] = [];
  await tell(trainer, events);
  assert.deepEqual([events.length, trainer.progress.batches, trainer.progress.updates], [6, 6, 3]);
  assert.ok(trainer.whole);
  trainer.session.dispose();
});

onBackends("a step that fails is named, and no step behind it changes a weight", async ({ backend }) => {
  // In the update of steps 9 and 10 the weights leave the range in which the scores are finite.
  const spoilt = {
    ...optionsFor(withDepth(backend, 8)),
    optimizer: { name: "sgd", momentum: 0.9 } as const,
    lr: (epochs: number) => epochs >= 8 / 20 ? 1e38 : 0.01,
  };
  const before = createTrainer(spoilt);
  await before.initialise();
  for (let step = 0; step < 10; step++) await before.step();
  const bits = await bitsOf(before.session, keptNames(before));
  before.session.dispose();

  const trainer = createTrainer(spoilt);
  await trainer.initialise();
  const events: StepEvent[] = [];
  await assert.rejects(tell(trainer, events), (error: Error) => {
    assert.ok(error instanceof NotFinite);
    assert.match(error.message, /^epoch 1, step 11: the loss is (NaN|-?Infinity); .*(features|fc)/);
    return true;
  });
  assert.equal(events.length, 10);
  assert.ok(!trainer.whole);
  assert.deepEqual(await bitsOf(trainer.session, keptNames(trainer)), bits);
  await trainer.initialise();
  assert.ok(Number.isFinite((await trainer.step()).loss), "a new beginning has not failed");
  trainer.session.dispose();
});

onBackends("a norm of gradients that is not finite stops the steps behind it, too", async ({ backend }) => {
  const options = {
    ...optionsFor(withDepth(backend, 8)),
    batch_size: 8,
    accumulate: 1,
    task: classification(),
  };
  const trainer = createTrainer(options);
  await trainer.initialise();
  // The scores are large but finite; what goes back through the last layer is not.
  const { session } = trainer;
  session.writeState("features.3.weight", (await session.readState("features.3.weight")).fill(1e-30));
  session.writeState("features.3.bias", new Float32Array(8));
  session.writeState("fc.weight", (await session.readState("fc.weight")).map((_, i) => i < 8 ? 3e38 : -3e38));
  const names = keptNames(trainer), bits = await bitsOf(session, names);
  await assert.rejects(tell(trainer, []), /epoch 1, step 1: the norm of the gradients is (NaN|Infinity); /);
  assert.deepEqual(await bitsOf(session, names), bits);
  assert.deepEqual([...await session.readState(FAILED)], [1]);
  session.dispose();
});
