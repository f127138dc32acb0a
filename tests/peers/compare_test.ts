import assert from "node:assert/strict";
import { compare, type Setup } from "../../peers/compare.ts";
import { type Contestant, contestants, type Name, names } from "../../peers/contestants.ts";
import type { Workload } from "../../peers/protocol.ts";
import { Missing } from "../../peers/worker.ts";
import { workloadsOf } from "../../peers/workloads.ts";
import { fakeCommand } from "../support/fake_command.ts";
import { onWebgpu } from "../support/on_backends.ts";

const workload: Workload = { device: "cpu", model: "small_cnn", mode: "infer", batch: 8, input: [3, 32, 32] };

function fake(name: string, what: string, more: Partial<Contestant> = {}): Contestant {
  return { name, command: fakeCommand(what), runs: () => true, ...more };
}

function setupOf(more: Partial<Setup> = {}): Setup {
  const nothing = { missing: new Map<string, Missing>(), exporters: [], progress: () => {} };
  const lengths = {
    rounds: 2,
    turnMilliseconds: 0,
    pauseMilliseconds: 0,
    warmup: { steps: 1, milliseconds: 0 },
  };
  return { ...nothing, ...lengths, threads: 1, packages: "", ...more };
}

Deno.test("who can run is compared, who fails is told, and who is missing is not tried again", async () => {
  const missing = new Map([["c", new Missing("was looked for before")]]);
  const shown: number[] = [];
  const setup = setupOf({ missing, progress: (share) => shown.push(share) });
  const { scores, failures } = await compare(workload, [
    fake("a", "willing"),
    fake("b", "absent"),
    fake("c", "willing"),
    fake("d", "tires"),
    fake("e", "willing", { runs: ({ mode }) => mode === "train" }),
    fake("f", "willing", { command: undefined }),
    fake("g", "unable"),
  ], setup);
  assert.deepEqual(
    scores.map(({ contestant, version, milliseconds, plannedBytes }) => [
      ...[contestant, version, milliseconds, plannedBytes],
    ]),
    [["a", "Fake 1.0", [2.5, 2.5], 1000]],
  );
  assert.deepEqual(failures, [{ contestant: "d", reason: "Error: the loss is not finite" }]);
  const why = [...missing].map(([name, { message, installable }]) => [name, message, installable]);
  assert.deepEqual(why, [
    ["c", "was looked for before", true],
    ["b", "libfake is not installed", true],
    ["f", "nobody has said where it is", true],
    ["g", "it sees no GPU", false],
  ]);
  assert.deepEqual(shown, shown.toSorted((a, b) => a - b));
});

Deno.test("who reads an ONNX file needs someone who writes it", async () => {
  const reader = fake("reader", "willing", { readsOnnx: true });
  const run = async (...exporters: Contestant[]) => {
    const missing = new Map<string, Missing>();
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
  // A PyTorch without a GPU writes files all the same.
  const blind = new Map([["torch", new Missing("it sees no GPU", false)]]);
  const setup = setupOf({ exporters: [fake("torch", "willing")], missing: blind });
  assert.equal((await compare(workload, [reader], setup)).scores.length, 1);
});

Deno.test("Strata's own worker", async () => {
  for (const mode of ["train", "infer"] as const) await playStrata("strata-128", { ...workload, mode });
});

onWebgpu("Strata's own worker", async () => {
  await playStrata("strata-webgpu", { ...workload, device: "webgpu", mode: "train" });
});

async function playStrata(name: Name, workload: Workload): Promise<void> {
  const { device } = workload;
  const all = contestants({ device, threads: 2, python: undefined, packages: "" });
  const { scores, failures } = await compare(workload, [all[name]], setupOf({ threads: 2 }));
  assert.deepEqual(failures, []);
  assert.ok(scores[0]!.milliseconds.every((time) => time > 0));
  assert.ok(scores[0]!.plannedBytes! > 8 * 8 * 32 * 32 * 4);
}

Deno.test("every contestant but Strata tells how to get it; all but Strata and PyTorch are choosy", () => {
  const everywhere = { cpu: /^(strata-\d|torch)/, webgpu: /^(strata-webgpu|torch)/ };
  const nowhere = { cpu: /^strata-webgpu/, webgpu: /^strata-\d|node$/ };
  for (const device of ["cpu", "webgpu"] as const) {
    const all = contestants({ device, threads: 2, python: undefined, packages: "/peers" });
    const choices = workloadsOf({ device });
    for (const name of names) {
      const { install, runs } = all[name];
      assert.equal(install === undefined, name.startsWith("strata"), name);
      assert.equal(choices.every(runs), everywhere[device].test(name), name);
      assert.equal(choices.some(runs), !nowhere[device].test(name), name);
    }
    assert.match(all.tfjs.install!, /--prefix \/peers /);
  }
});

Deno.test("workloads by model, mode and batch", () => {
  const names = (given: Parameters<typeof workloadsOf>[0]) =>
    workloadsOf(given).map(({ model, mode, batch, input }) => `${mode} ${model} ${batch}×${input.join("×")}`);
  assert.equal(names({}).length, 12);
  assert.deepEqual(names({ models: ["vgg16", "nin"], mode: "infer" }), [
    "infer vgg16 4×3×224×224",
    "infer nin 8×3×32×32",
  ]);
  assert.deepEqual(names({ device: "webgpu", models: ["resnet50", "nin"], mode: "train" }), [
    "train resnet50 64×3×224×224",
    "train nin 64×3×32×32",
  ]);
  assert.deepEqual(names({ models: ["resnet50"], batch: 2 }), [
    "train resnet50 2×3×224×224",
    "infer resnet50 2×3×224×224",
  ]);
});
