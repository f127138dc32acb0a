/** A small file of each kind that is read, for damage to be done to. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { darknetParts } from "../../core/format/darknet.ts";
import { writeSafetensors } from "../../core/format/safetensors.ts";
import { stateDict } from "../../core/nn/mod.ts";
import { exportOnnx } from "../../core/onnx/export.ts";
import { sizeOf } from "../../core/shape.ts";
import { resolveSettings } from "../../cli/settings/settings.ts";
import { binaryBatch, python2Batch, tarGz } from "./cifar_files.ts";
import { DARKNET } from "./fuzz.ts";
import { quarters } from "./pictures.ts";
import { TinyNet } from "./tiny.ts";

const fixtures = new URL("../fixtures/", import.meta.url).pathname;
const LABELS = [3, 1, 4];
const VOC = `<annotation>
  <filename>1.jpg</filename>
  <size><width>60</width><height>40</height><depth>3</depth></size>
  <object>
    <name>red</name><difficult>0</difficult><truncated>1</truncated>
    <bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>
  </object>
</annotation>
`;
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
  const net = new TinyNet();
  const states = [...stateDict(net)].map(([name, { shape }]) =>
    [name, new Float32Array(sizeOf(shape))] as const
  );
  made["net.onnx"] = exportOnnx("net", net, [3, 8, 8], new Map(states), {
    metadata: { "strata.model": "net" },
  });
  made["train-images-idx3-ubyte.gz"] = gzipSync(idx([4, 28, 28]));
  made["train-labels-idx1-ubyte"] = idx([4]);
  made["data_batch_1.bin"] = binaryBatch(LABELS);
  made["data_batch_1"] = python2Batch(LABELS);
  made["cifar-10-binary.tar.gz"] = await tarGz({
    "data_batch_1.bin": binaryBatch(LABELS),
    "test_batch.bin": binaryBatch(LABELS),
  });
  for (const format of ["jpeg", "png", "webp", "gif", "tiff", "avif"] as const) {
    made[`picture.${format}`] = await quarters().toFormat(format).toBuffer();
  }
  made["annotation.xml"] = text(VOC);
  made["labels.txt"] = text("0 0.5 0.5 0.25 0.125\n1 0.25 0.75 0.5 0.5 0.875\n");
  made["data.yaml"] = text("train: images/train\nnc: 2\nnames: ['red', 'green']\n");
  for (const [name, content] of Object.entries(DARKNET)) made[name] = text(content);
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
