/** `verify:onnx`: whether ONNX Runtime makes of exported networks what Strata makes of them. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Backend, Session } from "../core/backend/backend.ts";
import { UserError } from "../core/errors.ts";
import { trace } from "../core/nn/trace.ts";
import { exportOnnx } from "../core/onnx/export.ts";
import { keyOf, philox } from "../core/random.ts";
import { sizeOf } from "../core/shape.ts";
import { initGraph } from "../core/train/graphs.ts";
import { type ModelEntry, models } from "../models/registry.ts";
import { describeFlags, parseFlags, switchFlag, text } from "./arguments.ts";
import { createBackend, deviceFlag } from "./backend.ts";
import { globPattern } from "./glob.ts";
import { main } from "./main.ts";

export const verifyOnnxFlags = {
  only: text("GLOB", "networks whose names match; default all that have a name"),
  device: deviceFlag,
  "peers-dir": text("DIR", "where onnxruntime-node is installed; default .peers"),
  json: switchFlag("one JSON document"),
  help: switchFlag("shows this"),
};

const HELP =
  `Exports networks as ONNX, with batch norms as they are and folded, runs the files in ONNX Runtime and compares.

  npm install --ignore-scripts --prefix .peers onnxruntime-node
  deno task verify:onnx --only 'resnet*'
  deno task verify:onnx --only 'resnet*' --device webgpu

Weights are those that training begins with, running statistics are drawn. The error is the greatest difference of a logit,
in units of the greatest logit.

`;

/** Two images, so that the file is not for one alone. */
const BATCH = 2;

const TOLERANCE = 1e-4;

interface Result {
  readonly name: string;
  readonly plain: number;
  readonly folded: number;
}

/** Runs the command; returns its exit code: 1 where a network is beyond the tolerance. */
export async function verifyOnnx(args: readonly string[]): Promise<number> {
  const given = parseFlags(verifyOnnxFlags, args);
  if (given.help) {
    console.log(HELP + describeFlags(verifyOnnxFlags).join("\n"));
    return 0;
  }
  const pattern = globPattern(given.only ?? "*");
  const chosen = Object.entries(models).filter(([name]) => pattern.test(name));
  if (chosen.length === 0) throw new UserError(`--only ${given.only}: no network has such a name`);
  const packages = resolve(given["peers-dir"] ?? ".peers");
  const folder = await Deno.makeTempDir();
  const backend = await createBackend(given);
  const results: Result[] = [];
  try {
    for (const [name, entry] of chosen) {
      const result = await check(name, entry, backend, folder, packages);
      results.push(result);
      const errors = `batch norms as they are ${result.plain.toExponential(1)}, folded ${
        result.folded.toExponential(1)
      }`;
      if (!given.json) console.log(`${isClose(result) ? "ok  " : "FAIL"}  ${name.padEnd(16)}  ${errors}`);
    }
  } finally {
    backend.close();
    await Deno.remove(folder, { recursive: true });
  }
  const close = results.filter(isClose).length;
  if (given.json) console.log(JSON.stringify({ tolerance: TOLERANCE, results }, null, 2));
  else console.log(`${close} of ${results.length} networks within ${TOLERANCE}`);
  return close === results.length ? 0 : 1;
}

function isClose({ plain, folded }: Result): boolean {
  return plain <= TOLERANCE && folded <= TOLERANCE;
}

async function check(
  name: string,
  entry: ModelEntry,
  backend: Backend,
  folder: string,
  packages: string,
): Promise<Result> {
  const model = entry.create();
  const shape = [BATCH, ...entry.input];
  const session = backend.compile({
    init: initGraph(model),
    infer: trace(model, shape, { training: false }),
  });
  try {
    const weights = await drawWeights(session);
    const images = uniform(1, sizeOf(shape), -1, 1);
    session.write("infer", "x", images);
    await session.run("infer");
    const expected = Float32Array.from(await session.read("infer", "y"));
    const errorOf = async (fold_batch_norm: boolean) => {
      const file = exportOnnx(name, model, entry.input, weights, { fold_batch_norm });
      return differenceOf(await runOnnx(file, images, shape, folder, packages), expected);
    };
    return { name, plain: await errorOf(false), folded: await errorOf(true) };
  } finally {
    session.dispose();
  }
}

/** Initial weights, with running statistics that a batch norm cannot do without. */
async function drawWeights(session: Session): Promise<Map<string, Float32Array>> {
  session.write("init", "rng", [1, 2, 3, 4]);
  await session.run("init");
  const weights = new Map<string, Float32Array>();
  for (const [index, name] of session.stateNames.entries()) {
    const size = sizeOf(session.stateShape(name));
    if (name.endsWith("running_mean")) session.writeState(name, uniform(index, size, -0.1, 0.1));
    if (name.endsWith("running_var")) session.writeState(name, uniform(index, size, 0.5, 1.5));
    weights.set(name, Float32Array.from(await session.readState(name)));
  }
  return weights;
}

function uniform(seed: number, count: number, low: number, high: number): Float32Array {
  const key = keyOf(seed);
  return Float32Array.from(
    { length: count },
    (_, i) => low + (high - low) * philox(key, [i, 0, 0, 0])[0] / 2 ** 32,
  );
}

async function runOnnx(
  file: Uint8Array,
  input: Float32Array,
  shape: readonly number[],
  folder: string,
  packages: string,
): Promise<Float32Array> {
  const [onnx, images, logits] = ["net.onnx", "images", "logits"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Deno.writeFile(onnx, file);
  await Deno.writeFile(images, new Uint8Array(input.buffer as ArrayBuffer));
  const worker = fileURLToPath(new URL("../peers/onnx_logits.mjs", import.meta.url));
  const job = JSON.stringify({ packages, onnx, images, shape, logits });
  const { success, stdout, stderr } = await new Deno.Command("node", { args: [worker, job] }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (said.startsWith("missing")) {
    throw new UserError(
      `onnxruntime-node is not in ${packages}: npm install --ignore-scripts --prefix ${packages} onnxruntime-node`,
    );
  }
  if (!success) throw new Error(`ONNX Runtime fails: ${said}`);
  return new Float32Array((await Deno.readFile(logits)).buffer);
}

function differenceOf(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Infinity;
  let [difference, greatest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    greatest = Math.max(greatest, Math.abs(expected[i]!));
  }
  return difference / greatest;
}

if (import.meta.main) await main(verifyOnnx);
