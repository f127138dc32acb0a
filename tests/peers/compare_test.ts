import assert from "node:assert/strict";
import { compare, type Setup } from "../../peers/compare.ts";
import { type Contestant, contestants, names } from "../../peers/contestants.ts";
import type { Workload } from "../../peers/protocol.ts";
import { workloadsOf } from "../../peers/workloads.ts";
import { fakeCommand } from "../support/fake_command.ts";

const workload: Workload = { model: "small_cnn", mode: "infer", batch: 8, input: [3, 32, 32] };

function fake(name: string, what: string, more: Partial<Contestant> = {}): Contestant {
  return { name, command: fakeCommand(what), runs: () => true, ...more };
}

function setupOf(more: Partial<Setup> = {}): Setup {
  const nothing = { missing: new Map<string, string>(), exporters: [], progress: () => {} };
  const lengths = {
    rounds: 2,
    turnMilliseconds: 0,
    pauseMilliseconds: 0,
    warmup: { steps: 1, milliseconds: 0 },
  };
  return { ...nothing, ...lengths, threads: 1, packages: "", ...more };
}

Deno.test("who can run is compared, who fails is told, and who is missing is not tried again", async () => {
  const missing = new Map([["c", "was looked for before"]]);
  const shown: number[] = [];
  const setup = setupOf({ missing, progress: (share) => shown.push(share) });
  const { scores, failures } = await compare(workload, [
    fake("a", "willing"),
    fake("b", "absent"),
    fake("c", "willing"),
    fake("d", "tires"),
    fake("e", "willing", { runs: ({ mode }) => mode === "train" }),
    fake("f", "willing", { command: undefined }),
  ], setup);
  assert.deepEqual(
    scores.map(({ contestant, version, milliseconds, plannedBytes }) => [
      ...[contestant, version, milliseconds, plannedBytes],
    ]),
    [["a", "Fake 1.0", [2.5, 2.5], 1000]],
  );
  assert.deepEqual(failures, [{ contestant: "d", reason: "Error: the loss is not finite" }]);
  assert.deepEqual([...missing], [
    ["c", "was looked for before"],
    ["b", "libfake is not installed"],
    ["f", "nobody has said where it is"],
  ]);
  assert.deepEqual(shown, shown.toSorted((a, b) => a - b));
});

Deno.test("who reads an ONNX file needs someone who writes it", async () => {
  const reader = fake("reader", "willing", { readsOnnx: true });
  const run = async (...exporters: Contestant[]) => {
    const missing = new Map<string, string>();
    const { scores, failures } = await compare(
      workload,
      [reader, { ...reader, name: "other" }],
      setupOf({ exporters, missing }),
    );
    return [scores.length, failures.map(({ reason }) => reason), [...missing.keys()]];
  };
  const nobody = "PyTorch, which writes the ONNX file that it reads, is not there";
  assert.deepEqual(await run(), [0, [nobody, nobody], []]);
  assert.deepEqual(await run(fake("torch", "absent")), [0, [nobody, nobody], ["torch"]]);
  assert.deepEqual(await run(fake("torch", "absent"), fake("other", "willing")), [2, [], ["torch"]]);
  const why = "torch could not write the ONNX file: Error: it does not like the job";
  assert.deepEqual(await run(fake("torch", "broken")), [0, [why, why], []]);
});

Deno.test("Strata's own worker", async () => {
  const all = contestants({ threads: 2, python: undefined, packages: "" });
  for (const mode of ["train", "infer"] as const) {
    const { scores, failures } = await compare(
      { ...workload, mode },
      [all["strata-128"]],
      setupOf({ threads: 2 }),
    );
    assert.deepEqual(failures, []);
    assert.ok(scores[0]!.milliseconds.every((time) => time > 0));
    assert.ok(scores[0]!.plannedBytes! > 8 * 8 * 32 * 32 * 4);
  }
});

Deno.test("every contestant but Strata tells how to get it; all but Strata and PyTorch are choosy", () => {
  const all = contestants({ threads: 2, python: undefined, packages: "/peers" });
  const choices = workloadsOf({});
  for (const name of names) {
    const { install, runs } = all[name];
    assert.equal(install === undefined, name.startsWith("strata"), name);
    assert.equal(choices.every(runs), /^(strata|torch)/.test(name), name);
    assert.ok(choices.some(runs), name);
  }
  assert.match(all.tfjs.install!, /--prefix \/peers /);
});

Deno.test("workloads by model, mode and batch", () => {
  const names = (given: Parameters<typeof workloadsOf>[0]) =>
    workloadsOf(given).map(({ model, mode, batch, input }) => `${mode} ${model} ${batch}×${input.join("×")}`);
  assert.equal(names({}).length, 12);
  assert.deepEqual(names({ models: ["vgg16", "nin"], mode: "infer" }), [
    "infer vgg16 4×3×224×224",
    "infer nin 8×3×32×32",
  ]);
  assert.deepEqual(names({ models: ["resnet50"], batch: 2 }), [
    "train resnet50 2×3×224×224",
    "infer resnet50 2×3×224×224",
  ]);
});
