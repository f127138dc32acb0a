/** `verify:onnx`: whether ONNX Runtime makes of exported networks what Strata makes of them. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Backend, Session } from "../core/backend/backend.ts";
import { UserError } from "../core/errors.ts";
import { trace } from "../core/nn/trace.ts";
import { exportOnnx, type OnnxOptions } from "../core/onnx/export.ts";
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
  "full-size": switchFlag("images of the size that networks are made for; slower"),
  device: deviceFlag,
  "peers-dir": text("DIR", "where onnxruntime-node is installed; default .peers"),
  json: switchFlag("one JSON document"),
  help: switchFlag("shows this"),
};

const HELP =
  `Exports networks as ONNX, plain, and with batch norms folded and the images' normalisation in the file, runs both in
ONNX Runtime with batches of 1 and of 3, and compares.

  npm install --ignore-scripts --prefix .peers onnxruntime-node
  deno task verify:onnx --only 'resnet*'
  deno task verify:onnx --only 'resnet*' --device webgpu

Weights are those that training begins with, running statistics are drawn. Images are small where the network takes such.
The error is the greatest difference of a logit, in units of the greatest logit.

`;

/** The batches that each file is run with; a file is made from batches of 2 and 3. */
const BATCHES = [3, 1] as const;
const MOST = Math.max(...BATCHES);

/** Height and width of images, where a network takes such. */
const SIDE = 96;

const TOLERANCE = 1e-4;

/** What files may be like, with what each is called. */
const VARIANTS = { plain: "plain", folded: "folded and normalising" } as const;
type Variant = keyof typeof VARIANTS;

interface Result {
  readonly name: string;
  /** Channels, height, width. */
  readonly input: readonly number[];
  /** The greatest of all batches. */
  readonly errors: Readonly<Record<Variant, number>>;
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
      const input = given["full-size"] ? entry.input : smallInput(entry);
      const result = await check(name, entry, input, { backend, folder, packages });
      results.push(result);
      const errors = Object.entries(VARIANTS).map(([variant, what]) =>
        `${what} ${result.errors[variant as Variant].toExponential(1)}`
      );
      if (given.json) continue;
      const size = input.join("×").padEnd(9);
      console.log(`${isClose(result) ? "ok  " : "FAIL"}  ${name.padEnd(16)}  ${size}  ${errors.join(", ")}`);
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

function isClose({ errors }: Result): boolean {
  return Object.values(errors).every((error) => error <= TOLERANCE);
}

type Input = readonly [number, number, number];

/** A small image, where the network takes such. */
function smallInput({ create, input }: ModelEntry): Input {
  const [channels, ...size] = input;
  if (Math.max(...size) <= SIDE) return input;
  try {
    trace(create({ input_size: [SIDE, SIDE] }), [1, channels, SIDE, SIDE], { training: false });
    return [channels, SIDE, SIDE];
  } catch {
    return input;
  }
}

interface Tools {
  readonly backend: Backend;
  readonly folder: string;
  readonly packages: string;
}

async function check(
  name: string,
  entry: ModelEntry,
  input: Input,
  { backend, ...tools }: Tools,
): Promise<Result> {
  const [channels, height, width] = input;
  const model = entry.create({ input_size: [height, width] });
  const shape = [MOST, ...input];
  const session = backend.compile({
    init: initGraph(model),
    infer: trace(model, shape, { training: false }),
  });
  try {
    const weights = await drawWeights(session);
    const pixels = uniform(1, sizeOf(shape), 0, 1);
    const normalisation = {
      mean: Array.from({ length: channels }, (_, i) => 0.5 - 0.05 * i),
      std: Array.from({ length: channels }, (_, i) => 0.3 + 0.02 * i),
    };
    const images = normalised(pixels, height * width, normalisation);
    session.write("infer", "x", images);
    await session.run("infer");
    const expected = Float32Array.from(await session.read("infer", "y"));
    const errorOf = async (seen: Float32Array, options: OnnxOptions) => {
      const file = exportOnnx(name, model, input, weights, options);
      return differenceOf(await runOnnx(file, seen, input, tools), expected);
    };
    const errors = {
      plain: await errorOf(images, {}),
      folded: await errorOf(pixels, { fold_batch_norm: true, normalisation }),
    };
    return { name, input, errors };
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

/** Images of pixels from 0 to 1 as a network takes them, each channel of `size` pixels by its own mean and deviation. */
function normalised(
  pixels: Float32Array,
  size: number,
  { mean, std }: NonNullable<OnnxOptions["normalisation"]>,
): Float32Array {
  return pixels.map((pixel, i) => {
    const channel = Math.floor(i / size) % mean.length;
    return (pixel - mean[channel]!) / std[channel]!;
  });
}

/** The logits of each batch, one after another. */
async function runOnnx(
  file: Uint8Array,
  input: Float32Array,
  image: Input,
  { folder, packages }: Omit<Tools, "backend">,
): Promise<Float32Array> {
  const [onnx, images, logits] = ["net.onnx", "images", "logits"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Deno.writeFile(onnx, file);
  await Deno.writeFile(images, new Uint8Array(input.buffer as ArrayBuffer));
  const worker = fileURLToPath(new URL("../peers/onnx_logits.mjs", import.meta.url));
  const job = JSON.stringify({ packages, onnx, images, image, batches: BATCHES, logits });
  const { success, stdout, stderr } = await runNode([worker, job]);
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (said.startsWith("missing")) {
    throw new UserError(
      `onnxruntime-node is not in ${packages}: npm install --ignore-scripts --prefix ${packages} onnxruntime-node`,
    );
  }
  if (!success) throw new Error(`ONNX Runtime fails: ${said}`);
  return new Float32Array((await Deno.readFile(logits)).buffer);
}

/** Fails where there is no Node: ONNX Runtime runs in nothing else. */
async function runNode(args: string[]): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command("node", { args }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError("verify:onnx needs Node: there is no node on the path");
  }
}

/** `expected` has the logits of the largest batch, whose first images are all that others have. */
function differenceOf(actual: Float32Array, expected: Float32Array): number {
  const single = expected.length / MOST;
  const all = BATCHES.flatMap((batch) => [...expected.subarray(0, batch * single)]);
  if (actual.length !== all.length) return Infinity;
  let [difference, greatest] = [0, 0];
  for (let i = 0; i < all.length; i++) {
    // NaN is no small difference.
    if (Number.isNaN(actual[i])) return Infinity;
    difference = Math.max(difference, Math.abs(actual[i]! - all[i]!));
    greatest = Math.max(greatest, Math.abs(all[i]!));
  }
  return difference / greatest;
}

if (import.meta.main) await main(verifyOnnx);
