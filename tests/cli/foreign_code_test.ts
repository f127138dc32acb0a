/** Files that name code as their network: whoever wrote them, nothing of it runs unless `--model` says so. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { convert } from "../../cli/convert.ts";
import { detect } from "../../cli/detect.ts";
import { evaluate } from "../../cli/evaluate.ts";
import { predict } from "../../cli/predict.ts";
import { preview } from "../../cli/preview.ts";
import { train } from "../../cli/train.ts";
import { resolveSettings } from "../../cli/settings/settings.ts";
import { writeSafetensors } from "../../core/format/safetensors.ts";
import * as nn from "../../core/nn/mod.ts";
import { exportOnnx } from "../../core/onnx/export.ts";
import { newProgress } from "../../core/train/progress.ts";
import { photograph, put } from "../support/pictures.ts";
import { withFolder } from "../support/temp_folder.ts";

const RAN = "foreignCodeRan";
const SCRIPT = `globalThis.${RAN} = true;`;
const ran = () => (globalThis as Record<string, unknown>)[RAN];

/** Writes a checkpoint, an ONNX model and configurations that say so. */
async function writeFiles(folder: string, model: string) {
  const data = new Float32Array(24).fill(0.1);
  const settings = { ...resolveSettings({}), model };
  const metadata = {
    "strata.format": "1",
    "strata.model": model,
    "strata.progress": JSON.stringify(newProgress()),
    "strata.config": JSON.stringify(settings),
  };
  const weight = ["1.weight", { dtype: "F32", shape: [2, 12], data }] as const;
  const net = new nn.Sequential(new nn.Flatten(), new nn.Linear(12, 2, { bias: false }));
  const onnx = exportOnnx("net", net, [3, 2, 2], new Map([["1.weight", data]]), { metadata });
  return {
    safetensors: await put(join(folder, "last.safetensors"), writeSafetensors([weight], metadata)),
    onnx: await put(join(folder, "net.onnx"), onnx),
    config: await put(join(folder, "config.json"), JSON.stringify({ model })),
    whole: await put(join(folder, "whole.json"), JSON.stringify(settings)),
  };
}

Deno.test("a file that names code as its network runs nothing", () =>
  withFolder(async (folder) => {
    const local = await put(join(folder, "net.ts"), SCRIPT);
    const photo = await put(join(folder, "photo.jpg"), await photograph(1, 2, 3));
    const names = [`data:text/javascript,${SCRIPT}//`, "https://localhost:1/net.js", "./net.ts", local];
    const cwd = Deno.cwd();
    Deno.chdir(folder);
    try {
      for (const [i, name] of names.entries()) {
        const { safetensors, onnx, config, whole } = await writeFiles(join(folder, `${i}`), name);
        const attempts = [
          ...[safetensors, onnx].flatMap((file) => [
            () => convert([file, "out.onnx"]),
            () => convert([file, "out.pth"]),
            () => evaluate([file]),
            () => predict([file, photo]),
            () => detect([photo, "--weights", file]),
          ]),
          () => train(["--resume", safetensors, "--max-steps", "1"]),
          () => train(["--resume", safetensors, "--evaluate-only"]),
          ...[config, whole].flatMap((file) => [
            () => train(["--config", file, "--max-steps", "1"]),
            () => train(["--config", file, "--print-config"]),
            () => preview(["--config", file]),
          ]),
        ];
        for (const attempt of attempts) {
          const message = /^UserError: .* says that its network is .*: give --model .* if you trust it$/;
          await assert.rejects(attempt, message, `${name}: ${attempt}`);
        }
        assert.equal(ran(), undefined, name);
      }
      // A path of the command line is run, and nothing but a path.
      const [data, https] = names;
      for (const name of [data!, https!]) {
        await assert.rejects(
          convert(["0/last.safetensors", "out.onnx", "--model", name]),
          /^UserError: --model .*: a network of your own is a file/,
        );
      }
      assert.equal(ran(), undefined);
      await assert.rejects(
        convert(["2/last.safetensors", "out.onnx", "--model", "./net.ts"]),
        /net\.ts exports nothing and no factory/,
      );
      assert.equal(ran(), true);
    } finally {
      Deno.chdir(cwd);
    }
  }));
