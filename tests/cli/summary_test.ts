/** The command as a shell sees it: text, exit codes, one line for each mistake. */
import assert from "node:assert/strict";
import { withFolder } from "../support/temp_folder.ts";

const ROOT = new URL("../../", import.meta.url);

async function run(command: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", `cli/${command}.ts`, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("the default: torchsummary's table, then MACs and memory", async () => {
  const args = ["--model", "alexnet", "--input", "3x256x256", "--num-classes", "10"];
  const classic = await Deno.readTextFile(new URL("tests/fixtures/torchsummary/alexnet_10.txt", ROOT));
  const { code, out } = await run("summary", ...args, "--optimizer", "adam", "--threads", "2");
  assert.equal(code, 0);
  assert.ok(out.startsWith(`${classic}\nMACs (multiply-accumulates of one image): 923,069,120 (923 M)\n\n`));
  assert.match(
    out,
    /Memory planned for a batch of 1 on 2 threads .*\n {2}inference .*\n {2}training, adam .*\n$/,
  );
  assert.equal((await run("summary", ...args, "--style", "torchsummary")).out, classic);
});

Deno.test("expectations decide the exit code", async () => {
  const model = ["--model", "darknet53", "--style", "tree", "--depth", "0"];
  const right = await run("summary", ...model, "--expect-output", "18", "--expect-params", "40603378");
  assert.deepEqual([right.code, right.err], [0, ""]);
  const wrong = await run("summary", ...model, "--expect-output", "17", "--expect-params", "40603379");
  assert.equal(wrong.code, 1);
  assert.equal(
    wrong.err,
    "darknet53: the output is 18, expected 17\n" +
      "darknet53: it has 40,603,378 parameters, expected 40,603,379\n",
  );
});

Deno.test("mistakes take one line and exit with 2", async () => {
  const mistakes: [string[], RegExp][] = [
    [["--model", "resnet5O"], /did you mean resnet50\?/],
    [
      ["--model", "alexnet", "--input", "3x20x20"],
      /^error: features\.5: max_pool2d .* the image vanishes here\n$/,
    ],
    [["--input", "3x224"], /--input must be 3 whole numbers from 1/],
    [["--input", "1x64x64", "--in-channels", "3"], /does not go with the 1 channels/],
    [["--model", "vgg16", "--cifar-stem"], /--cifar-stem is not for vgg16/],
    [["--json", "--style", "tree"], /choose one/],
    [["--depth", "2"], /no meaning for the classic table/],
    [["--svg", "no/such/folder/a.svg"], /cannot write/],
  ];
  for (const [args, message] of mistakes) {
    const { code, err } = await run("summary", ...args);
    assert.equal(code, 2, `${args.join(" ")}: ${err}`);
    assert.match(err, message);
    assert.equal(err.split("\n").length, 2);
  }
});

Deno.test("a network of one's own, as data and as pictures", async () => {
  await withFolder(async (folder) => {
    const nn = new URL("core/nn/mod.ts", ROOT).href;
    await Deno.writeTextFile(
      `${folder}/my_net.ts`,
      `import * as nn from ${JSON.stringify(nn)};
       export const input = [3, 8, 8];
       export default ({ num_classes = 5 } = {}) =>
         new nn.Sequential(new nn.Conv2d(3, 4, 8), new nn.Flatten(), new nn.Linear(4, num_classes));`,
    );
    const model = ["--model", `${folder}/my_net.ts`];
    const { out } = await run("summary", ...model, "--json", "--batch-size", "2");
    const { input, output, memory } = JSON.parse(out);
    assert.deepEqual([input, output], [[2, 3, 8, 8], [2, 5]]);
    assert.ok(memory.training.totalBytes > memory.inference.totalBytes);
    const files = ["--dot", `${folder}/net.dot`, "--svg", `${folder}/net.svg`];
    assert.equal((await run("summary", ...model, ...files)).code, 0);
    assert.match(await Deno.readTextFile(`${folder}/net.dot`), /^digraph \{[^]*Linear 5/);
    assert.match(await Deno.readTextFile(`${folder}/net.svg`), /<svg [^]*Linear 5/);
  });
});

Deno.test("models lists what a pattern matches", async () => {
  const { out } = await run("models", "resnet?0");
  const lines = out.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
  assert.deepEqual(lines.map(([name]) => name), ["Name", "resnet50", "resnet20"]);
  assert.deepEqual(lines[1]!.slice(1, 4), ["25,557,032", "4,089,184,256", "3×224×224"]);
  const json = JSON.parse((await run("models", "resnet20", "--json")).out);
  assert.deepEqual(
    json.map(({ name, parameters, input, output, num_classes }: Record<string, unknown>) => [
      ...[name, parameters, input, output, num_classes],
    ]),
    [["resnet20", 269722, [3, 32, 32], [10], 10]],
  );
  const none = await run("models", "lenet");
  assert.deepEqual([none.code, none.err.split(";")[0]], [2, "error: no network is called lenet"]);
});
