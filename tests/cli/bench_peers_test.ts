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
