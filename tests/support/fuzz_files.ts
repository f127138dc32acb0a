/** A small file of each kind that is read, for damage to be done to. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { darknetParts } from "../../core/format/darknet.ts";

import { writeSafetensors } from "../../core/format/safetensors.ts";
import { resolveSettings } from "../../cli/settings/settings.ts";
import { binaryBatch, python2Batch, tarGz } from "./cifar_files.ts";
import { quarters } from "./pictures.ts";

const fixtures = new URL("../fixtures/", import.meta.url).pathname;
const LABELS = [3, 1, 4];
const settings = resolveSettings({});

/** Writes them into the folder; returns their paths, and those of fixtures that other programs wrote. */
export async function fuzzFiles(folder: string): Promise<string[]> {
  const made: Record<string, Uint8Array> = {};
  const text = (value: string) => new TextEncoder().encode(value);
  const json = (value: unknown) => text(JSON.stringify(value, null, 2));
  const weights = { dtype: "F32", shape: [2, 50], data: new Float32Array(100).fill(0.5) } as const;
  const tensors = [["fc.weight", weights], ["optimizer.m.fc.weight", weights]] as const;
  const progress = { epoch: 1, step: 2, batches: 6, updates: 6, best_accuracy: 0.5, best_epoch: 1 };
  made["model.safetensors"] = writeSafetensors(tensors, { format: "pt" });
  made["last.safetensors"] = writeSafetensors(tensors, {
    "strata.format": "1",
    "strata.model": "resnet20",
    "strata.progress": JSON.stringify(progress),
    "strata.config": JSON.stringify(settings),
  });
  made["net.weights"] = new Uint8Array(
    await new Blob(darknetParts([weights.data]) as BlobPart[]).arrayBuffer(),
  );
  made["train-images-idx3-ubyte.gz"] = gzipSync(idx([4, 28, 28]));
  made["train-labels-idx1-ubyte"] = idx([4]);
  made["data_batch_1.bin"] = binaryBatch(LABELS);
  made["data_batch_1"] = python2Batch(LABELS);
  made["cifar-10-binary.tar.gz"] = await tarGz({
    "data_batch_1.bin": binaryBatch(LABELS),
    "test_batch.bin": binaryBatch(LABELS),
  });
  for (const format of ["jpeg", "png", "webp", "gif"] as const) {
    made[`picture.${format}`] = await quarters().toFormat(format).toBuffer();
  }
  made["config.json"] = json(settings);
  made["autotune.json"] = json({ "WebAssembly, 256-bit SIMD, 2 threads": { "conv 3x3 64": "winograd4" } });
  made["log.csv"] = text("epoch,train_loss\n1,2.3\n2,2.2\n");
  for (const [name, bytes] of Object.entries(made)) await Deno.writeFile(join(folder, name), bytes);
  const theirs = ["torch/zip.pth", "torch/checkpoint_legacy.pth", "keras/net.h5", "keras/net.keras"];
  return [
    ...Object.keys(made).map((name) => join(folder, name)),
    ...theirs.map((name) => join(fixtures, name)),
  ];
}

function idx(shape: readonly number[]): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  head.setUint16(2, 0x800 + shape.length);
  shape.forEach((extent, axis) => head.setUint32(4 + 4 * axis, extent));
  const size = shape.reduce((product, extent) => product * extent, 1);
  return Uint8Array.from([...new Uint8Array(head.buffer), ...Array.from({ length: size }, (_, i) => i % 10)]);
}
