/** Weights that are not finite: every command that computes with them says so in a line. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { detect } from "../../cli/detect.ts";
import { evaluate } from "../../cli/evaluate.ts";
import { predict } from "../../cli/predict.ts";
import { readSafetensors, type SafeTensor, writeSafetensors } from "../../core/format/safetensors.ts";
import { Counter, stateDict } from "../../core/nn/module.ts";
import { sizeOf } from "../../core/shape.ts";
import { resnet20 } from "../../models/resnet_cifar.ts";
import { colourDetector } from "../support/colour_detector.ts";
import { photograph, put } from "../support/pictures.ts";
import { withFolder } from "../support/temp_folder.ts";
import { run } from "../support/tiny_run.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

/** The tensors, of which one has a number that is none. */
function damaged(tensors: Iterable<readonly [string, SafeTensor]>, which: string): Uint8Array {
  const broken = new Map(tensors);
  const { shape } = broken.get(which)!;
  broken.set(which, { dtype: "F32", shape, data: new Float32Array(sizeOf(shape)).fill(NaN, -1) });
  return writeSafetensors(broken, {});
}

Deno.test(
  "weights that are not finite are refused, whatever they are for",
  loose,
  () =>
    withFolder(async (folder) => {
      const photo = await put(join(folder, "photo.jpg"), await photograph(1, 2, 3));
      const tensors = [...stateDict(resnet20())].flatMap(([name, item]) =>
        item instanceof Counter
          ? []
          : [[name, { dtype: "F32", shape: item.shape, data: new Float32Array(sizeOf(item.shape)) }] as const]
      );
      const weights = await put(join(folder, "a.safetensors"), damaged(tensors, "conv1.weight"));
      const message =
        /a\.safetensors: number 431 of 432 in conv1\.weight is NaN: these weights are damaged; /;
      const digits = ["--model", "resnet20", "--dataset", "digits"];
      await assert.rejects(evaluate([weights, ...digits]), message);
      await assert.rejects(predict([weights, photo, "--model", "resnet20"]), message);
      for (const flags of [["--resume", weights, "--evaluate-only"], ["--pretrained", weights]]) {
        const output = join(folder, "run");
        const { code, stderr } = await run(...digits, ...flags, "--output", output);
        assert.equal(code, 2, stderr);
        assert.match(stderr, message);
        await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
      }

      const { weights: boxes, net } = await colourDetector(folder);
      const sound = readSafetensors(await Deno.readFile(boxes)).tensors;
      await Deno.writeFile(boxes, damaged(sound, [...sound.keys()][0]!));
      await assert.rejects(
        detect([photo, "--weights", boxes, "--model", net]),
        /number \d+ of \d+ in .* is NaN: these weights are damaged/,
      );
    }),
);
