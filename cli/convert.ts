/** `convert`: files of weights, from one format to another; and what is in them. */
import { oneLine, UserError } from "../core/errors.ts";
import { darknetParts } from "../core/format/darknet.ts";
import { type SafeTensor, safetensorsParts } from "../core/format/safetensors.ts";
import type { StateDict, StateTensor } from "../core/format/state_dict.ts";
import { writeTorch } from "../core/format/torch_write.ts";
import { darknetOrder } from "../core/nn/darknet_order.ts";
import { matchStateDict } from "../core/nn/match_state_dict.ts";
import { Counter, type Module, stateDict } from "../core/nn/mod.ts";
import { formatShape, sameShape, sizeOf } from "../core/shape.ts";
import { alignColumns, commas } from "../core/summary/format.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { isSameFile, statIfThere } from "../host/files.ts";
import { progressOf } from "../host/going_back.ts";
import { findWeights } from "../host/run_folder.ts";
import { readStateDict } from "../host/weights.ts";
import {
  describeFlags,
  oneOf,
  type Parsed,
  parseFlags,
  realList,
  splitPositionals,
  switchFlag,
} from "./arguments.ts";
import { main } from "./main.ts";
import { modelFlags } from "./model.ts";
import { weightsFlagsFor } from "./settings/weights.ts";
import { megabytes } from "./terminal.ts";
import { metadataOf, onnxMetadata } from "./weights_metadata.ts";
import { type KnownNetwork, networkOf } from "./weights_network.ts";

const FORMATS = ["safetensors", "onnx", "torch", "darknet"] as const;
type Format = (typeof FORMATS)[number];

const EXTENSIONS: Readonly<Record<string, Format>> = {
  safetensors: "safetensors",
  onnx: "onnx",
  pth: "torch",
  pt: "torch",
  th: "torch",
  weights: "darknet",
};

const weightsFlags = weightsFlagsFor("classifier", "detector");

export const convertFlags = {
  to: oneOf(FORMATS, "safetensors, onnx, torch or darknet; default what OUT's ending says"),
  ...modelFlags,
  model: weightsFlags.model,
  "num-classes": weightsFlags["num-classes"],
  partial: switchFlag("takes the tensors that fit the network and leaves out the rest"),
  "fold-batch-norm": switchFlag("onnx: batch norms become part of the layers before them"),
  mean: realList("onnx: with --std, the file takes images from 0 to 1 and normalises them itself"),
  std: realList("onnx: a number for each channel, as --mean", { min: 0, above: true }),
  overwrite: switchFlag("writes over OUT, if there is such a file already"),
  json: switchFlag("tells what was done, or what is in the file, for programs"),
  help: switchFlag("shows this"),
};

const HELP = `Converts files of weights, and lists what is in them.

  deno task convert resnet20.th                                    the tensors in it
  deno task convert resnet20.th resnet20.safetensors
  deno task convert runs/NAME net.onnx                             a run's best weights; it knows its network
  deno task convert resnet20.th resnet20.onnx --model resnet20 --fold-batch-norm
  deno task convert vgg16.h5 vgg16.pth --model vgg16_keras
  deno task convert darknet53.weights darknet53.safetensors --model darknet53 --num-classes 1000

Reads safetensors, PyTorch's files (old and new), Keras's (.h5 and .keras), Darknet's .weights and ONNX,
whatever their names. Writes safetensors, PyTorch's (.pth), ONNX and Darknet's. Weights are written as 32-bit floats.
An ONNX file takes images normalised as in training, [batch, C, H, W], and gives logits; --mean and --std put the
normalisation into it. Of a run's weights it has classes, mean and std as metadata. Safetensors of a known network say
which it is, so that no flag has to.

`;

type Given = Parsed<typeof convertFlags>;

/** Runs the command; returns its exit code. */
export async function convert(args: readonly string[]): Promise<number> {
  const { positionals: [from, to, ...more], rest } = splitPositionals(convertFlags, args);
  const given = parseFlags(convertFlags, rest);
  if (given.help) {
    console.log(HELP + describeFlags(convertFlags).join("\n"));
    return 0;
  }
  if (from === undefined) {
    throw new UserError("convert needs a file to read: deno task convert IN [OUT]; see --help");
  }
  if (more.length > 0) throw new UserError(`"${more[0]}" is one file too many: deno task convert IN [OUT]`);
  if (to === undefined) refuseIdle(given, ["json"], "without a file to write: deno task convert IN OUT");
  const format = to === undefined ? undefined : formatOf(to, given);
  const source = await findWeights(from);
  if (to !== undefined) await expectFree(to, source, given);
  const dict = await readStateDict(source);
  if (to === undefined || format === undefined) {
    console.log(given.json ? listJson(dict) : listText(dict));
    return 0;
  }
  const network = await networkOf(dict, given);
  const { parts, left } = await convertTo(format, dict, network, given);
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  await writeAtomically(to, parts);
  if (given.json) {
    console.log(JSON.stringify({ from, to, format, network: network?.name, bytes, left }, null, 2));
  } else {
    if (left.length > 0) console.log(`Left out, since they do not fit: ${left.join(", ")}`);
    const kind = network ? `${network.name} as ${format}` : format;
    console.log(`Wrote ${to} (${kind}, ${megabytes(bytes)})`);
  }
  return 0;
}

/** Throws where writing would lose something: what is read, a run's checkpoint, or a file that nobody gave up. */
async function expectFree(to: string, source: string, { overwrite = false }: Given): Promise<void> {
  if (await isSameFile(to, source)) {
    throw new UserError(`${to}: is the file to read, which nothing is written over; name another one`);
  }
  if (await progressOf(to)) {
    throw new UserError(`${to}: is a checkpoint of a run, which nothing is written over; name another file`);
  }
  if (!overwrite && (await statIfThere(to))?.isFile) {
    throw new UserError(`${to}: there is such a file already; name another one, or add --overwrite`);
  }
}

/** Throws where a flag other than those of use was given, since it would have no effect. */
function refuseIdle(given: Given, ofUse: readonly string[], why: string): void {
  const idle = Object.entries(given).find(([flag, value]) => value !== undefined && !ofUse.includes(flag));
  if (idle) throw new UserError(`--${idle[0]} has no effect ${why}`);
}

function formatOf(path: string, given: Given): Format {
  const ending = path.split(".").at(-1)!.toLowerCase();
  const format = given.to ?? (Object.hasOwn(EXTENSIONS, ending) ? EXTENSIONS[ending] : undefined);
  if (!format) {
    const known = Object.keys(EXTENSIONS).map((ending) => `.${ending}`).join(", ");
    throw new UserError(`${path}: its ending says no format (${known}); name one with --to`);
  }
  for (const flag of ["fold-batch-norm", "mean", "std"] as const) {
    if (given[flag] !== undefined && format !== "onnx") {
      throw new UserError(`--${flag} is for onnx, not ${format}`);
    }
  }
  if ((given.mean === undefined) !== (given.std === undefined)) {
    throw new UserError("--mean and --std go together");
  }
  return format;
}

interface Converted {
  readonly parts: readonly Uint8Array[];
  /** The network's tensors that the file does not have. */
  readonly left: readonly string[];
}

async function convertTo(
  format: Format,
  dict: StateDict,
  network: KnownNetwork | undefined,
  given: Given,
): Promise<Converted> {
  if (!network) {
    if (dict.convention !== "torch") {
      throw new UserError(
        `${dict.file}: its layers have no names of PyTorch's; name the network with --model`,
      );
    }
    if (format === "onnx" || format === "darknet") {
      throw new UserError(
        `${dict.file}: it does not say which network its weights are of: name it with --model`,
      );
    }
    refuseIdle(given, ["to", "overwrite", "json"], "where no network is known: name it with --model");
    const isTorch = format === "torch";
    return {
      parts: isTorch ? [await writeTorch(dict)] : safetensorsParts(asSafeTensors(dict), METADATA),
      left: [],
    };
  }
  const { model, name } = network;
  const { tensors, left } = matchStateDict(model, dict, given.partial ? { partial: true } : {});
  if (left.length > 0 && (format === "onnx" || format === "darknet")) {
    throw new UserError(`${dict.file}: ${format} needs all of ${name}'s weights, and ${left[0]} is missing`);
  }
  switch (format) {
    case "onnx":
      return { parts: [await toOnnx(dict, network, tensors, given)], left };
    case "darknet":
      return { parts: darknetParts(darknetOrder(model).map(([name]) => tensors.get(name)!)), left };
    case "torch":
      return { parts: [await writeTorch(withCounters(model, dict, tensors))], left };
    case "safetensors": {
      const about = left.length === 0 ? metadataOf(dict, network) : {};
      const all = withCounters(model, dict, tensors);
      return { parts: safetensorsParts(asSafeTensors(all), { ...METADATA, ...about }), left };
    }
  }
}

/** As other readers of safetensors ask for. */
const METADATA = { format: "pt" };

async function toOnnx(
  dict: StateDict,
  network: KnownNetwork,
  weights: ReadonlyMap<string, Float32Array>,
  { mean, std, "fold-batch-norm": fold_batch_norm = false }: Given,
): Promise<Uint8Array> {
  const { name, model, input } = network;
  const wrong = [mean, std].find((values) => values && values.length !== input[0]);
  if (wrong) {
    throw new UserError(`--mean and --std need ${input[0]} numbers, one for a channel, not ${wrong.length}`);
  }
  const { exportOnnx } = await import("../core/onnx/export.ts");
  return exportOnnx(name, model, input, weights, {
    fold_batch_norm,
    ...mean && std ? { normalisation: { mean, std } } : {},
    metadata: onnxMetadata(dict, network, { normalises: mean !== undefined }),
  });
}

/** The network's tensors in its order, with the file's counters of batches, or zero. */
function withCounters(
  model: Module,
  dict: StateDict,
  tensors: ReadonlyMap<string, Float32Array>,
): Map<string, StateTensor> {
  const all = new Map<string, StateTensor>();
  for (const [name, item] of stateDict(model)) {
    const data = tensors.get(name);
    if (item instanceof Counter) {
      all.set(name, { shape: [], dtype: "I64", data: BigInt64Array.of(countIn(dict.get(name))) });
    } else if (data) all.set(name, { shape: item.shape, dtype: "F32", data });
  }
  return all;
}

/** Files that were converted as a whole may have counters as floats. */
function countIn(tensor: StateTensor | undefined): bigint {
  const [count = 0] = tensor && sameShape(tensor.shape, []) ? tensor.data : [];
  if (typeof count === "bigint") return count;
  return Number.isSafeInteger(count) ? BigInt(count) : 0n;
}

/** Under the types that the numbers have in memory. */
function* asSafeTensors(tensors: ReadonlyMap<string, StateTensor>): Generator<[string, SafeTensor]> {
  for (const [name, { shape, data }] of tensors) {
    if (data instanceof Float32Array) {
      yield [name, { dtype: "F32", shape, data: data as Float32Array<ArrayBuffer> }];
    } else if (data instanceof Int32Array) {
      yield [name, { dtype: "I32", shape, data: data as Int32Array<ArrayBuffer> }];
    } else yield [name, { dtype: "I64", shape, data: data as BigInt64Array<ArrayBuffer> }];
  }
}

function listText(dict: StateDict): string {
  const rows = [...dict].map(([name, tensor]) => [
    oneLine(name),
    tensor.dtype,
    formatShape(tensor.shape),
    commas(sizeOf(tensor.shape)),
  ]);
  const total = [...dict.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return [
    ...alignColumns([["Name", "Type", "Shape", "Numbers"], ...rows], new Set([3])),
    "",
    `${dict.size} tensors of ${commas(total)} numbers`,
  ].join("\n");
}

function listJson(dict: StateDict): string {
  const tensors = [...dict].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return JSON.stringify({ file: dict.file, metadata: dict.metadata, tensors }, null, 2);
}

if (import.meta.main) await main(convert);
