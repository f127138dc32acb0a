/** Weights from a file's bytes, whatever its format. */
import { oneLine, UserError } from "../errors.ts";
import { type DtypeArray, toNumbers } from "./dtype.ts";
import { isDarknet, readDarknet } from "./darknet.ts";
import { readKeras } from "./keras.ts";
import { readSafetensors } from "./safetensors.ts";
import { StateDict, type StateTensor } from "./state_dict.ts";
import { isLegacyTorch, readLegacyTorch, readTorchZip } from "./torch.ts";
import { openZip } from "./zip.ts";

interface Format {
  readonly name: string;
  /** Whether a file that starts with these bytes, and has this many in all, is of this format. */
  readonly fits: (bytes: Uint8Array) => boolean;
  readonly read: (bytes: Uint8Array, file: string) => StateDict | Promise<StateDict>;
}

/** The formats of weights that can be read, those with clear marks first. */
const formats: readonly Format[] = [
  {
    name: "PyTorch",
    fits: (bytes) => startsWith(bytes, "PK\x03\x04") || startsWith(bytes, "PK\x05\x06"),
    read: fromZip,
  },
  { name: "old PyTorch", fits: isLegacyTorch, read: readLegacyTorch },
  { name: "Keras", fits: (bytes) => startsWith(bytes, "\x89HDF\r\n\x1a\n"), read: readKeras },
  { name: "safetensors", fits: (bytes) => bytes[8] === 0x7b, read: fromSafetensors },
  { name: "Darknet", fits: isDarknet, read: readDarknet },
  { name: "ONNX", fits: (bytes) => bytes[0] === 0x08 && bytes[1]! < 0x20, read: fromOnnx },
];

/**
 * Reads a file of weights, recognised by its content: safetensors (Strata's checkpoints among them, without their
 * optimisers' states), PyTorch's, Keras's, Darknet's, or what an ONNX model has of layers' weights. `file` is what errors call it. Nothing in the file is run. Throws `UserError` where it is of
 * another format, truncated or corrupt.
 */
export async function parseStateDict(bytes: Uint8Array, file: string): Promise<StateDict> {
  const format = formats.find(({ fits }) => fits(bytes));
  if (format) {
    try {
      return await format.read(bytes, file);
    } catch (error) {
      // Messages quote names, which may be anything.
      throw error instanceof UserError ? new UserError(oneLine(error.message)) : error;
    }
  }
  const known = formats.map(({ name }) => name).join(", ");
  throw new UserError(
    bytes.length === 0
      ? `${file}: the file is empty`
      : `${file}: no weights of a format that is known (${known})`,
  );
}

/** PyTorch's, or Keras's with its weights inside. */
async function fromZip(bytes: Uint8Array, file: string): Promise<StateDict> {
  const zip = await openZip(bytes, file);
  const keras = "model.weights.h5";
  return zip.names.has(keras)
    ? await readKeras(await zip.read(keras), file)
    : await readTorchZip(zip, bytes.length, file);
}

/** Loaded where it is needed: few read weights from ONNX. */
async function fromOnnx(bytes: Uint8Array, file: string): Promise<StateDict> {
  const { readOnnx } = await import("../onnx/read.ts");
  return readOnnx(bytes, file);
}

function fromSafetensors(bytes: Uint8Array, file: string): StateDict {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const isCheckpoint = metadata["strata.format"] !== undefined;
  const weights = [...tensors].flatMap(([name, tensor]): [string, StateTensor][] => {
    if (isCheckpoint && (name.startsWith("optimizer.") || name.startsWith("ema."))) return [];
    // Where a run keeps moving averages, these are what it is judged by.
    const average = isCheckpoint ? tensors.get(`ema.${name}`) : undefined;
    const { shape, dtype, data } = average ?? tensor;
    return [[name, { shape, dtype, data: toNumbers(dtype, data as DtypeArray) }]];
  });
  return new StateDict(file, weights, { metadata });
}

function startsWith(bytes: Uint8Array, mark: string): boolean {
  for (let i = 0; i < mark.length; i++) if (bytes[i] !== mark.charCodeAt(i)) return false;
  return true;
}
