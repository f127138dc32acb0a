import assert from "node:assert/strict";
import { convert } from "../../cli/convert.ts";
import { UserError } from "../../core/errors.ts";
import { readSafetensors, safetensorsParts } from "../../core/format/safetensors.ts";
import { stateDict } from "../../core/nn/mod.ts";
import { Counter } from "../../core/nn/module.ts";
import { decodeModel } from "../../core/onnx/schema.ts";
import { sizeOf } from "../../core/shape.ts";
import { writeAtomically } from "../../host/atomic_write.ts";
import { readStateDict } from "../../host/weights.ts";
import { resnet20 } from "../../models/resnet_cifar.ts";
import { withFolder } from "../support/temp_folder.ts";

/** What a command prints. */
async function printed(args: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const log = console.log;
  console.log = (line: string) => lines.push(line);
  try {
    assert.equal(await convert(args), 0);
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}

/** A file of ResNet-20's weights for seven classes, each tensor with a number of its own. */
async function writeWeights(path: string, metadata: Record<string, string> = {}): Promise<void> {
  const tensors = [...stateDict(resnet20({ num_classes: 7 }))].flatMap(([name, item], i) => {
    if (item instanceof Counter) return [];
    const data = new Float32Array(sizeOf(item.shape)).fill(i + 1);
    return [[name, { dtype: "F32", shape: item.shape, data }] as const];
  });
  await writeAtomically(path, safetensorsParts(tensors, metadata));
}

Deno.test("convert: from safetensors to each format, and back", () =>
  withFolder(async (folder) => {
    const first = `${folder}/a.safetensors`;
    await writeWeights(first);
    const expected = await readStateDict(first);
    for (const ending of ["pth", "weights", "onnx", "safetensors"]) {
      const [file, back] = [`${folder}/b.${ending}`, `${folder}/from-${ending}.safetensors`];
      await printed([first, file, "--model", "resnet20"]);
      await printed([file, back, "--model", "resnet20", "--num-classes", "7"]);
      const found = await readStateDict(back);
      for (const [name, { shape, data }] of expected) {
        assert.deepEqual(
          [found.get(name)?.shape, found.get(name)?.data],
          [shape, data],
          `${ending}: ${name}`,
        );
      }
    }
  }));

Deno.test("convert: a checkpoint knows its network, and weights how many classes there are", () =>
  withFolder(async (folder) => {
    const [checkpoint, file] = [`${folder}/best.safetensors`, `${folder}/net.onnx`];
    const config = JSON.stringify({ model: "resnet20", dataset: "cifar10" });
    await writeWeights(checkpoint, {
      "strata.format": "1",
      "strata.model": "resnet20",
      "strata.config": config,
    });
    const said = JSON.parse(await printed([checkpoint, file, "--json", "--fold-batch-norm"]));
    assert.deepEqual([said.network, said.format, said.left], ["resnet20", "onnx", []]);
    const { graph } = decodeModel(await Deno.readFile(file));
    assert.equal(graph!.node.some(({ opType }) => opType === "BatchNormalization"), false);
    assert.equal(Number(graph!.output[0]!.type.tensorType.shape.dim[1]!.dimValue), 7);
    assert.equal(JSON.parse(await printed([folder, "--json"])).file, checkpoint, "a run's folder will do");
  }));

Deno.test("convert: what a run says of its weights stays with them, as far as it is still true", () =>
  withFolder(async (folder) => {
    const [checkpoint, copy, onnx] = ["best.safetensors", "copy.safetensors", "net.onnx"].map((name) =>
      `${folder}/${name}`
    ) as [string, string, string];
    const classes = ["a", "b", "c", "d", "e", "f", "g, h"],
      normalize = { mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 0.3] };
    const config = {
      model: "resnet20",
      dataset: "folder",
      data: "/home/me/photos",
      classes,
      normalize,
      shape: [3, 32, 32],
      seed: 7,
    };
    await writeWeights(checkpoint, {
      "strata.format": "1",
      "strata.model": "resnet20",
      "strata.progress": "{}",
      "strata.config": JSON.stringify(config),
    });
    await printed([checkpoint, copy]);
    const { metadata } = await readStateDict(copy);
    assert.deepEqual(Object.keys(metadata), ["format", "strata.model", "strata.config"]);
    assert.deepEqual(JSON.parse(metadata["strata.config"]!), { ...config, model_options: {} });

    const about = async (...flags: string[]) => {
      await printed([copy, onnx, "--overwrite", ...flags]);
      const { metadata } = await readStateDict(onnx);
      assert.ok(!JSON.stringify(metadata).includes("photos"));
      const { dataset, ...rest } = JSON.parse(metadata["strata.config"]!);
      assert.deepEqual(rest, {
        model: "resnet20",
        classes,
        normalize,
        shape: [3, 32, 32],
        model_options: {},
      });
      assert.equal(dataset, "folder");
      return Object.fromEntries(
        ["classes", "mean", "std"].map((name) => [name, metadata[name] && JSON.parse(metadata[name])]),
      );
    };
    assert.deepEqual(await about(), { classes, ...normalize });
    const own = ["--mean", "0.5,0.4,0.3", "--std", "0.1,0.2,0.3"];
    assert.deepEqual(await about(...own), { classes, mean: undefined, std: undefined });

    // Weights of no run say afterwards which network they are of.
    const plain = `${folder}/plain.safetensors`;
    await writeWeights(plain);
    await printed([plain, copy, "--overwrite", "--model", "resnet20"]);
    assert.match(await printed([copy, onnx, "--overwrite"]), /resnet20 as onnx/);
    const said = (await readStateDict(onnx)).metadata;
    assert.deepEqual(Object.keys(said), ["strata.model", "strata.config"]);
  }));

Deno.test("convert: without a second file it lists the first one's tensors", () =>
  withFolder(async (folder) => {
    const file = `${folder}/a.safetensors`;
    await writeWeights(file);
    const lines = (await printed([file])).split("\n");
    assert.match(lines[0]!, /^Name +Type +Shape +Numbers$/);
    assert.match(lines[1]!, /^conv1\.weight +F32 +\[16, 3, 3, 3\] +432$/);
    assert.match(lines.at(-1)!, /^97 tensors of 270,903 numbers$/);
    assert.equal(JSON.parse(await printed([file, "--json"])).tensors.length, 97);
  }));

Deno.test("convert: counters that are no whole numbers begin anew", () =>
  withFolder(async (folder) => {
    const [file, out] = [`${folder}/a.safetensors`, `${folder}/b.safetensors`];
    await writeWeights(file);
    const { tensors } = readSafetensors(await Deno.readFile(file));
    const counters = ["bn1", "layer1.0.bn1", "layer1.0.bn2"].map((name, i) => {
      const data = Float32Array.of([7, 1e30, NaN][i]!);
      return [`${name}.num_batches_tracked`, { dtype: "F32", shape: [], data }] as const;
    });
    await writeAtomically(file, safetensorsParts([...tensors, ...counters]));
    await printed([file, out, "--model", "resnet20"]);
    const found = await readStateDict(out);
    assert.deepEqual(counters.map(([name]) => found.get(name)!.data[0]), [7n, 0n, 0n]);
  }));

Deno.test("convert: names and shapes without bounds go into PyTorch's files, too", () =>
  withFolder(async (folder) => {
    const [file, out] = [`${folder}/a.safetensors`, `${folder}/b.pth`];
    const x = { dtype: "F32", shape: [0, 2 ** 40], data: new Float32Array() } as const;
    await writeAtomically(file, safetensorsParts([["n".repeat(1_000_000), x]]));
    await printed([file, out]);
    const found = [...await readStateDict(out)].map(([name, { shape }]) => [name.length, ...shape]);
    assert.deepEqual(found, [[1_000_000, 0, 2 ** 40]]);
  }));

Deno.test("convert: each mistake has its line", () =>
  withFolder(async (folder) => {
    const file = `${folder}/a.safetensors`;
    await writeWeights(file);
    const fails = (args: string[], message: RegExp) =>
      assert.rejects(convert(args), (error: Error) => {
        assert.ok(error instanceof UserError, String(error.stack));
        assert.match(error.message, message);
        return true;
      });
    await fails([], /needs a file to read/);
    await fails([file, "b.onnx", "c"], /"c" is one file too many/);
    await fails([`${folder}/none`], /there is no such file/);
    await fails([file, `${folder}/./a.safetensors`], /is the file to read, which nothing is written over/);
    const link = `${folder}/link.safetensors`;
    await Deno.symlink(file, link);
    const checkpoint = `${folder}/last.safetensors`;
    await writeWeights(checkpoint, {
      "strata.format": "1",
      "strata.model": "resnet20",
      "strata.progress": "{}",
      "strata.config": "{}",
    });
    for (const overwrite of [[], ["--overwrite"]]) {
      await fails(
        [file, checkpoint, ...overwrite],
        /is a checkpoint of a run, which nothing is written over/,
      );
      await fails([link, file, ...overwrite], /is the file to read, which nothing is written over/);
    }
    const mine = `${folder}/mine.pth`;
    await Deno.writeTextFile(mine, "mine");
    await fails(
      [file, mine],
      /mine\.pth: there is such a file already; name another one, or add --overwrite$/,
    );
    assert.equal(await Deno.readTextFile(mine), "mine");
    await printed([file, mine, "--overwrite"]);
    assert.equal((await readStateDict(mine)).size, (await readStateDict(file)).size);
    await fails([file, "net"], /its ending says no format .*--to/);
    await fails([file, `${folder}/b.onnx`], /name it with --model/);
    await fails(
      [file, `${folder}/b.onnx`, "--model", "resnet20", "--num-classes", "9"],
      /95 of the network's 97/,
    );
    await fails(
      [file, `${folder}/b.onnx`, "--model", "resnet20", "--num-classes", "9", "--partial"],
      /needs all/,
    );
    await fails([file, `${folder}/b.pth`, "--mean", "1"], /--mean is for onnx, not torch/);
    await fails([file, `${folder}/b.onnx`, "--mean", "1"], /--mean and --std go together/);
    await fails(
      [file, `${folder}/b.onnx`, "--mean", "0,0,0", "--std", "1,0,1"],
      /^--std must be a number above 0, not "0"$/,
    );
    for (
      const idle of [
        ["--to", "onnx"],
        ["--model", "resnet20"],
        ["--num-classes", "7"],
        ["--partial"],
        ["--mean", "1"],
        ["--fold-batch-norm"],
      ]
    ) {
      await fails([file, ...idle], new RegExp(`^${idle[0]} has no effect without a file to write: `));
    }
    for (const idle of [["--num-classes", "7"], ["--partial"], ["--input", "3x32x32"]]) {
      await fails(
        [file, `${folder}/b.pth`, ...idle],
        new RegExp(`^${idle[0]} has no effect where no network is known: name it with --model$`),
      );
    }
    await fails(
      [file, `${folder}/b.onnx`, "--model", "resnet20", "--mean", "1", "--std", "1"],
      /need 3 numbers, one for a channel, not 1/,
    );
  }));
