/** The benchmarks as a shell sees them. How fast anything is, no test can say; what is told, they can. */
import assert from "node:assert/strict";
import { onWebgpu } from "../support/on_backends.ts";
import { withFolder } from "../support/temp_folder.ts";

const ROOT = new URL("../../", import.meta.url);

async function bench(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-P", "cli/bench.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** Arguments for a network that takes no time. */
async function withNet(body: (args: readonly string[]) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const nn = new URL("core/nn/mod.ts", ROOT).href;
    await Deno.writeTextFile(
      `${folder}/net.ts`,
      `import * as nn from ${JSON.stringify(nn)};
       export const input = [3, 8, 8];
       export default ({ num_classes = 5 } = {}) => new nn.Sequential(
         new nn.Conv2d(3, 4, 3), new nn.BatchNorm2d(4), new nn.ReLU(), new nn.Flatten(),
         new nn.Dropout(), new nn.Linear(144, num_classes));`,
    );
    await body(["--model", `${folder}/net.ts`, "--batch", "4", "--threads", "2"]);
  });
}

Deno.test("bench model tells rates, times and memory, and where the time goes", async () => {
  await withNet(async (net) => {
    const { code, out, err } = await bench("model", ...net, "--steps", "3", "--profile", "--top", "2");
    assert.equal(code, 0, err);
    assert.match(out, /net\.ts, 3×8×8, batch 4, training with sgd\n/);
    assert.match(out, /images a second +\d/);
    assert.match(out, /ms a step +[\d.]+ median of 3 \(\d+ before them to warm up\)\n/);
    assert.match(out, /memory, MiB +\d+ planned/);
    assert.match(out, /each call's median of 3 steps/);
    assert.match(out, /\nby op .*\n.*\n.*\nand \d+ more/);
  });
});

Deno.test("bench model --json is one document and nothing else", async () => {
  await withNet(async (net) => {
    const args = ["--steps", "2", "--warmup", "1", "--json"];
    const trained = await bench("model", ...net, ...args, "--profile", "--optimizer", "adam");
    const result = JSON.parse(trained.out);
    assert.deepEqual(
      [
        result.mode,
        result.batch,
        result.input,
        result.warmup,
        result.milliseconds.count,
        result.backend.threads,
      ],
      ["train", 4, [3, 8, 8], 1, 2, 2],
    );
    assert.ok(result.loss > 0 && result.images_per_second > 0 && result.memory.resident > 0);
    assert.ok(result.roof.gflops > 0 && result.roof.gigabytes > 0);
    const sum = (shares: { milliseconds: number }[]) =>
      shares.reduce((sum, share) => sum + share.milliseconds, 0);
    for (const kind of ["ops", "layers", "nodes", "kernels"]) {
      assert.ok(Math.abs(sum(result.profile[kind]) - result.profile.milliseconds) < 1e-6, kind);
    }
    assert.ok(result.profile.ops.some(({ name }: { name: string }) => name === "adam"));

    const inferred = JSON.parse((await bench("model", ...net, ...args, "--mode", "infer")).out);
    assert.deepEqual([inferred.mode, inferred.loss, inferred.profile], ["infer", null, undefined]);
    assert.ok(inferred.memory.planned < result.memory.planned);
  });
});

Deno.test("bench kernels takes a network's shapes from its own graph", async () => {
  await withNet(async (net) => {
    const listed = (await bench("kernels", ...net, "--list")).out.trim().split("\n");
    const names = ["0/forward", "0/to-weights", "5/forward", "5/to-input", "5/to-weights"];
    assert.deepEqual(listed.map((name) => name.replace(/^.*net\.ts\//, "")), names);

    const brief = ["--only", "*/forward", "--milliseconds", "1"];
    const { code, out, err } = await bench("kernels", ...net, ...brief);
    assert.equal(code, 0, err);
    assert.match(err, /^2 cases, about 0:0\d minutes\n/);
    assert.match(out, /layer +image +window +× +ms a step +forward/);
    assert.match(out, /\n0 +3×8×8 → 4 +3×3 +1 +\d/);

    const { results } = JSON.parse((await bench("kernels", ...net, ...brief, "--json")).out);
    assert.deepEqual(results.map(({ macs }: { macs: number }) => macs), [4 * 4 * 36 * 27, 4 * 144 * 5]);
    assert.deepEqual(results[0].convolution.x, [4, 3, 8, 8]);
  });
});

onWebgpu("bench kernels and bench model tell what a GPU can do at the most", async () => {
  await withNet(async (net) => {
    const gpu = [...net.slice(0, -2), "--device", "webgpu"]; // Without --threads, which are the CPU's.
    const brief = ["--only", "*5/forward", "--milliseconds", "1"];
    const kernels = await bench("kernels", ...gpu, ...brief);
    assert.equal(kernels.code, 0, kernels.err);
    assert.match(kernels.out, /^WebGPU, /);
    assert.match(
      kernels.out,
      /\nPeak of multiply-adds in registers: [\d.]+ GFLOP\/s; [\d.]+ GB\/s copying\n/,
    );
    const model = await bench("model", ...gpu, "--steps", "1", "--warmup", "0", "--profile");
    assert.match(model.out, /Roofline: [\d.]+ GFLOP\/s, the peak of multiply-adds in registers; /);
    assert.doesNotMatch(model.out, /waiting|micro-kernel/);
  });
});

Deno.test("mistakes take one line and exit with 2", async () => {
  const mistakes: [string[], RegExp][] = [
    [["modle"], /bench modle: there is no such benchmark; did you mean model\?/],
    [["model", "--model", "resnet5O"], /did you mean resnet50\?/],
    [["model", "--batch", "0"], /--batch must be a whole number of 1 or more/],
    [["model", "--input", "224x224"], /--input must be 3 whole numbers/],
    [["model", "--mode", "training"], /--mode training: there is none of that name; did you mean train\?/],
    [["model", "--mode", "infer", "--optimizer", "adam"], /--optimizer adam has no effect/],
    [
      ["kernels", "--only", "gemm/no*"],
      /--only gemm\/no\*: none of the \d+ cases has such a name; one is gemm\//,
    ],
    [["kernels", "--input", "3x64x64"], /--input needs --model/],
    [["kernels", "--milliseconds", "0"], /--milliseconds must be a whole number of 1 or more/],
    [["model", "--top", "3"], /--top has no meaning without --profile/],
    [["model", "--model", "vgg16", "--batch", "512"], /--batch 512: the step needs [\d.]+ GB of memory/],
  ];
  for (const [args, message] of mistakes) {
    const { code, out, err } = await bench(...args);
    assert.deepEqual([code, out], [2, ""], `${args.join(" ")}: ${err}`);
    assert.match(err.replace(/^.*Warning.*\n/, ""), new RegExp(`^error: .*${message.source}.*\\n$`));
  }
});

Deno.test("where no kernel's case fits into memory, bench says so", async () => {
  const { code, err } = await bench(
    "kernels",
    "--model",
    "vgg16",
    "--batch",
    "2000",
    "--only",
    "*features.0/forward",
  );
  assert.equal(code, 2);
  assert.match(
    err,
    /features\.0\/forward is left out: it needs .*\nerror: no case fits into memory; take a smaller --batch\n$/,
  );
});

Deno.test("without a subcommand, bench says what there is", async () => {
  const { code, out } = await bench();
  assert.equal(code, 0);
  assert.match(out, /deno task bench model/);
  assert.match((await bench("model", "--help")).out, /--profile/);
});
