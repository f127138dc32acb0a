import assert from "node:assert/strict";
import { type Backend, OutOfMemory, type Session } from "../../../core/backend/backend.ts";
import { readSafetensors, writeSafetensors } from "../../../core/format/safetensors.ts";
import * as nn from "../../../core/nn/mod.ts";
import { readHeader, restore, toCheckpoint } from "../../../core/train/checkpoint.ts";
import { largestBatch } from "../../../core/train/run_graphs.ts";
import { NotFinite } from "../../../core/train/not_finite.ts";
import { createTrainer, type Trainer } from "../../../core/train/trainer.ts";
import { backendFor } from "../../support/run_op.ts";
import { tinyData, TinyNet } from "../../support/tiny.ts";
import { classification } from "../../../core/train/classification.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

async function optionsFor(threads = 2) {
  return {
    backend: await backendFor({ threads }),
    model: new TinyNet(),
    data: tinyData(),
    batch_size: 8,
    epochs: 3,
    optimizer: { name: "sgd", momentum: 0.9, weight_decay: 1e-3 } as const,
    lr: (epochs: number) => 0.1 * (1 - epochs / 4),
    task: classification({ label_smoothing: 0.1 }),
    seed: 5,
  };
}

/** Everything that the run keeps, as bits. */
async function statesOf({ session }: Trainer): Promise<Map<string, Int32Array>> {
  const entries = session.stateNames.map(async (name) => {
    const data = await session.readState(name);
    return [name, new Int32Array(data.buffer, 0, data.length)] as const;
  });
  return new Map(await Promise.all(entries));
}

async function trainTo(trainer: Trainer, updates = Infinity): Promise<number[]> {
  const losses: number[] = [];
  for await (const event of trainer.train()) {
    if (event.type === "step") losses.push(event.loss);
    if (trainer.progress.updates >= updates) break;
  }
  return losses;
}

Deno.test(
  "a network with other classes than the data's is refused before anything runs",
  pooled,
  async () => {
    const options = await optionsFor();
    for (const classes of [1, 3]) {
      const model = new TinyNet();
      Object.assign(model, { fc: new nn.Linear(8, classes) });
      assert.throws(
        () => createTrainer({ ...options, model }),
        new RegExp(
          `^UserError: the network tells ${classes} classes apart, and noise has 2: its factory gets `,
        ),
      );
    }
  },
);

Deno.test("a network that returns no scores is refused before anything runs", pooled, async () => {
  const model = new TinyNet();
  model.forward = (() => undefined) as unknown as TinyNet["forward"];
  const options = await optionsFor();
  assert.throws(() => createTrainer({ ...options, model }), /^UserError: the network's forward must return/);
});

Deno.test("a run is the same to the bit with 1, 2 and 3 threads", pooled, async () => {
  const runs = [];
  for (const threads of [1, 2, 3]) {
    const trainer = createTrainer(await optionsFor(threads));
    await trainer.initialise();
    const losses = await trainTo(trainer);
    runs.push({ losses, states: await statesOf(trainer), progress: { ...trainer.progress } });
    trainer.session.dispose();
  }
  assert.equal(runs[0]!.losses.length, 15);
  assert.deepEqual(runs[1], runs[0]);
  assert.deepEqual(runs[2], runs[0]);
});

Deno.test("a run resumed from a checkpoint, mid-epoch too, ends with the same bits", pooled, async () => {
  const options = await optionsFor();
  const whole = createTrainer(options);
  await whole.initialise();
  const losses = await trainTo(whole);
  const expected = await statesOf(whole);
  for (const stop of [1, 5, 7]) {
    const before = createTrainer(options);
    await before.initialise();
    const early = await trainTo(before, stop);
    const header = { model: "tiny", progress: before.progress, config: {} };
    const kept = await toCheckpoint(options.model, before.session, header, { optimizer: true });
    const bytes = writeSafetensors(kept.tensors, kept.metadata);
    before.session.dispose();

    const after = createTrainer(options);
    const file = readSafetensors(bytes);
    restore(options.model, after.session, file, "test");
    Object.assign(after.progress, readHeader(file.metadata, "test")!.progress);
    const late = await trainTo(after);
    assert.deepEqual([...early, ...late], losses, `stopped after ${stop} steps`);
    assert.deepEqual(after.progress, whole.progress);
    assert.deepEqual(await statesOf(after), expected);
    after.session.dispose();
  }
  whole.session.dispose();
});

Deno.test(
  "the learning rate that an epoch reports is its first step's, also when it was resumed",
  pooled,
  async () => {
    const options = await optionsFor();
    const trainer = createTrainer(options);
    await trainer.initialise();
    await trainTo(trainer, 7);
    const rates: number[] = [];
    for await (const event of trainer.train()) if (event.type === "epoch") rates.push(event.lr);
    assert.deepEqual(rates, [options.lr(1), options.lr(2)]);
    trainer.session.dispose();
  },
);

Deno.test("the best epoch, repeated after a run was killed, is the best again", pooled, async () => {
  const trainer = createTrainer({ ...await optionsFor(), epochs: 1 });
  const bestOf = async (before: { best_epoch: number; best_score: number }) => {
    await trainer.initialise();
    Object.assign(trainer.progress, before);
    for await (const event of trainer.train()) {
      if (event.type === "epoch") return { best: event.best, score: event.test.score };
    }
  };
  const { score } = (await bestOf({ best_epoch: 0, best_score: 0 }))!;
  assert.ok(score > 0);
  assert.deepEqual(await bestOf({ best_epoch: 1, best_score: score }), { best: true, score });
  assert.deepEqual(await bestOf({ best_epoch: 1, best_score: score + 0.1 }), { best: false, score });
  trainer.session.dispose();
});

Deno.test("another seed is another run, and training lowers the loss", pooled, async () => {
  const options = { ...await optionsFor(), epochs: 20, lr: () => 0.05 };
  const results = [];
  for (const seed of [1, 2]) {
    const trainer = createTrainer({ ...options, seed });
    await trainer.initialise();
    results.push(await trainTo(trainer));
    trainer.session.dispose();
  }
  const [one, two] = results as [number[], number[]];
  assert.notDeepEqual(one, two);
  const mean = (losses: number[]) => losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  assert.ok(mean(one.slice(-10)) < 0.8 * mean(one.slice(0, 10)), `${one}`);
});

Deno.test("evaluation counts every test image once", pooled, async () => {
  const options = await optionsFor();
  const accuracies = [];
  for (const batch_size of [8, 22, 40]) {
    const trainer = createTrainer({ ...options, batch_size });
    await trainer.initialise();
    accuracies.push(await trainer.evaluate());
    trainer.session.dispose();
  }
  for (const { loss, accuracy } of accuracies) {
    assert.equal(accuracy, accuracies[0]!.accuracy);
    assert.ok(Math.abs(loss - accuracies[0]!.loss) < 1e-6);
    assert.ok(Math.abs(accuracy * 22 - Math.round(accuracy * 22)) < 1e-9);
  }
});

Deno.test(
  "a loss that is not finite names the step and the layer, and changes no weight",
  pooled,
  async () => {
    const options = await optionsFor();
    const trainer = createTrainer(options);
    await trainer.initialise();
    await trainTo(trainer, 2);
    const bias = await trainer.session.readState("features.3.bias");
    bias[3] = Infinity;
    trainer.session.writeState("features.3.bias", bias);
    const before = await statesOf(trainer);
    await assert.rejects(trainTo(trainer), (error: Error) => {
      assert.ok(error instanceof NotFinite);
      assert.match(
        error.message,
        /^epoch 1, step 3: the loss is NaN; the weights features\.3\.bias are no longer finite/,
      );
      return true;
    });
    const after = await statesOf(trainer);
    for (const name of nn.namedParameters(options.model).keys()) {
      assert.deepEqual(
        after.get(name),
        before.get(name),
      );
    }
    trainer.session.dispose();
  },
);

Deno.test("where the weights are finite, the first layer whose output is not is named", pooled, async () => {
  const options = await optionsFor();
  const trainer = createTrainer(options);
  await trainer.initialise();
  const weight = await trainer.session.readState("features.3.weight");
  trainer.session.writeState("features.3.weight", weight.map(() => 3e38));
  await assert.rejects(
    trainTo(trainer),
    /step 1: the loss is NaN; the first output that is not finite is that of features\.3 \(conv2d\)/,
  );
  trainer.session.dispose();
});

/** The backend, with a look at what is done with the search's session, or without memory for one. */
function watched(backend: Backend, watch: (probe: Session) => Session): Backend {
  return {
    ...backend,
    compile(graphs) {
      const session = backend.compile(graphs);
      return "probe" in graphs ? watch(session) : session;
    },
  };
}

Deno.test("the search repeats the failing step: its random numbers, and no optimiser", pooled, async () => {
  const options = await optionsFor();
  let rng: number[] | undefined;
  let states: readonly string[] = [];
  const backend = watched(options.backend, (probe) => ({
    ...probe,
    write(graph, input, data) {
      if (input === "rng") rng = Array.from(data);
      probe.write(graph, input, data);
    },
    dispose() {
      states = probe.stateNames;
      probe.dispose();
    },
  }));
  const trainer = createTrainer({ ...options, backend });
  await trainer.initialise();
  await trainTo(trainer, 6);
  const weight = await trainer.session.readState("features.3.weight");
  trainer.session.writeState("features.3.weight", weight.map(() => 3e38));
  await assert.rejects(trainTo(trainer), /epoch 2, step 2: .* is that of features\.3 \(conv2d\)/);
  assert.deepEqual(rng, [5, 0, 6, 0]);
  assert.deepEqual(states.filter((name) => name.startsWith("optimizer.")), []);
  trainer.session.dispose();
});

Deno.test("a search without memory says so, and blames no layer", pooled, async () => {
  const options = await optionsFor();
  const backend = watched(options.backend, (probe) => {
    probe.dispose();
    throw new OutOfMemory(2e9, 1e9);
  });
  const trainer = createTrainer({ ...options, backend });
  await trainer.initialise();
  const weight = await trainer.session.readState("features.3.weight");
  trainer.session.writeState("features.3.weight", weight.map(() => 3e38));
  await assert.rejects(trainTo(trainer), /the loss is NaN; there is no memory left to find the layer/);
  trainer.session.dispose();
});

Deno.test("weights that are not finite are not kept, and not gone on with", pooled, async () => {
  const options = await optionsFor();
  const trainer = createTrainer(options);
  await trainer.initialise();
  const header = { model: "tiny", progress: trainer.progress, config: {} };
  const kept = await toCheckpoint(options.model, trainer.session, header, { optimizer: true });
  const bias = kept.tensors.get("fc.bias")!.data as Float32Array;
  bias[1] = Infinity;
  assert.throws(
    () => restore(options.model, trainer.session, kept, "last"),
    /^UserError: last: number 1 of 2 in fc\.bias is Infinity: these weights are damaged/,
  );
  trainer.session.writeState("fc.bias", bias);
  await assert.rejects(toCheckpoint(options.model, trainer.session, header, { optimizer: true }), NotFinite);
  trainer.session.dispose();
});

Deno.test(
  "weights alone can be tested but not gone on with; a plain state_dict has no header",
  pooled,
  async () => {
    const options = await optionsFor();
    const trainer = createTrainer(options);
    await trainer.initialise();
    const header = { model: "tiny", progress: trainer.progress, config: {} };
    const kept = await toCheckpoint(options.model, trainer.session, header, { optimizer: false });
    assert.throws(
      () => restore(options.model, trainer.session, kept, "best"),
      /^UserError: best: holds weights only, .* from its last\.safetensors$/,
    );
    assert.equal(readHeader({ format: "pt" }, "plain"), undefined);
    const older = { epoch: 2, updates: 7, correct: 3, best_accuracy: 0.5, best_epoch: 1 };
    const metadata = { ...kept.metadata, "strata.progress": JSON.stringify(older) };
    const { progress } = readHeader(metadata, "older")!;
    assert.deepEqual(
      [progress.batches, progress.figure_sums, progress.best_score],
      [7, { accuracy: 3 }, 0.5],
    );
    const damaged = { ...kept.metadata, "strata.progress": "{" };
    assert.throws(
      () => readHeader(damaged, "damaged"),
      /damaged: its metadata is damaged/,
    );
    trainer.session.dispose();
  },
);

Deno.test(
  "a batch that is too large is told before anything starts, with the largest that fits",
  pooled,
  async () => {
    const options = await optionsFor();
    const huge = {
      ...options,
      data: { ...options.data, train: { ...options.data.train, count: 1e7 } },
    };
    assert.throws(() => createTrainer({ ...huge, batch_size: 4_000_000 }), OutOfMemory);
    const most = largestBatch({ ...huge, batch_size: 4_000_000 }, 1e9);
    const bytes = (batch_size: number) => {
      const trainer = createTrainer({ ...huge, batch_size });
      trainer.session.dispose();
      return trainer.session.memory.totalBytes;
    };
    assert.ok(bytes(most) <= 1e9 && bytes(most + 1) > 1e9, `${most}`);
  },
);
