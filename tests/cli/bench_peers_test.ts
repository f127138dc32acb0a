import assert from "node:assert/strict";
import { benchPeers } from "../../cli/bench_peers.ts";
import { UserError } from "../../core/errors.ts";

Deno.test("bench peers answers bad arguments with one line", async () => {
  const complaints: [args: string[], complaint: RegExp][] = [
    [["--models", "resnet50,resnet5"], /^--models resnet5: .* did you mean resnet50\?/],
    [["--only", "tfsj"], /^--only tfsj: .* did you mean tfjs\?/],
    [["--only", "onnxruntime-web", "--mode", "train"], /^--only onnxruntime-web: it can run nothing/],
    [["--rounds", "0"], /^--rounds/],
    [["--mode", "training"], /^--mode training/],
    [["resnet50"], /^"resnet50" is not expected here/],
  ];
  for (const [args, complaint] of complaints) {
    await assert.rejects(benchPeers(args), (error: Error) => {
      assert.ok(error instanceof UserError, args.join(" "));
      assert.match(error.message, complaint);
      assert.equal(error.message.split("\n").length, 1);
      return true;
    });
  }
});

Deno.test("bench peers --json tells of each contestant, and how to get those that are missing", async () => {
  const asked = ["--models", "small_cnn", "--mode", "infer", "--rounds", "1", "--threads", "1"];
  const who = ["--only", "strata-128,torch-other", "--json"];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "cli/bench.ts", "peers", ...asked, ...who],
    stderr: "inherit",
  }).output();
  assert.equal(code, 0);
  const { threads, rounds, outcomes: [outcome], absent } = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual([threads, rounds, outcome.model, outcome.batch], [1, 1, "small_cnn", 8]);
  const [ours] = outcome.scores;
  assert.deepEqual([ours.contestant, ours.times_as_fast], ["strata-128", { "strata-128": 1 }]);
  assert.equal(ours.median, ours.milliseconds[0]);
  assert.equal(ours.images_per_second, 8000 / ours.median);
  assert.deepEqual(absent.map(({ name }: { name: string }) => name), ["torch-other"]);
  assert.match(absent[0].install, /pip install torch/);
});
