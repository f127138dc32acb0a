/**
 * Reads what `torch.save` wrote, and runs nothing: the pickle is data (core/format/pickle.ts), every size is checked
 * against the file, and no more memory is taken than `MOST_COPIED` times the file's size.
 *
 * - Since PyTorch 1.6, a zip of stored records: `NAME/data.pkl`, `NAME/data/KEY` for each storage, `NAME/byteorder`.
 * - Before, pickles one after another (a magic number, a version, the machine, the object, the storages' keys), then for
 *   each storage its count as i64, and its numbers.
 */
import { UserError } from "../errors.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { bytesOf, type Numbers, toNumbers, viewAs } from "./dtype.ts";
import { readPickle } from "./pickle.ts";
import { describeValue, NotAllowed, PickleError, type PickleValue } from "./pickle_value.ts";
import { StateDict, type StateTensor } from "./state_dict.ts";
import { gather, rowMajorStrides } from "./strided.ts";
import { findTensors } from "./torch_checkpoint.ts";
import { type Storage, storageLookup, torchGlobals, type TorchTensor } from "./torch_pickle.ts";
import type { Zip } from "./zip.ts";

/** A file's tensors may be converted and share storages, but not without end. */
const MOST_COPIED = 8;

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** Whether bytes start with a pickle of the magic number. */
export function isLegacyTorch(bytes: Uint8Array): boolean {
  try {
    return bytes[0] === 0x80 && readPickle(bytes.subarray(0, 32), { globals: new Map() }).value === MAGIC;
  } catch {
    return false;
  }
}

/** What a file holds, and where its storages' bytes are. */
interface Saved {
  readonly value: PickleValue;
  readonly bytesOfStorage: (storage: Storage) => Uint8Array | Promise<Uint8Array>;
}

/** @param size the file's bytes */
export async function readTorchZip(zip: Zip, size: number, file: string): Promise<StateDict> {
  const pickle = [...zip.names].find((name) => name === "data.pkl" || name.endsWith("/data.pkl"));
  if (pickle === undefined) {
    throw new UserError(`${file}: a zip, but not one of torch.save: it has no data.pkl`);
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  return await read(file, size, async () => {
    if (zip.names.has(`${folder}constants.pkl`)) {
      throw new PickleError("it is a TorchScript program; save the state_dict() of its module instead");
    }
    const order = `${folder}byteorder`;
    if (zip.names.has(order) && new TextDecoder().decode(await zip.read(order)) !== "little") {
      throw new PickleError(BIG_ENDIAN);
    }
    const { value } = readPickle(await zip.read(pickle), {
      globals: torchGlobals,
      persistent: storageLookup(new Map()),
      fileBytes: size,
    });
    const bytesOfStorage = async ({ key, dtype, count }: Storage) => {
      const data = await zip.read(`${folder}data/${key}`);
      const expected = count * bytesOf(dtype);
      if (data.length === expected) return data;
      throw new PickleError(`storage ${key} has ${data.length} bytes, expected ${expected}`);
    };
    return { value, bytesOfStorage };
  });
}

export async function readLegacyTorch(bytes: Uint8Array, file: string): Promise<StateDict> {
  return await read(file, bytes.length, () => {
    let at = 0;
    const storages = new Map<string, Storage>();
    const persistent = storageLookup(storages);
    const next = () => {
      const { value, end } = readPickle(bytes.subarray(at), { globals: torchGlobals, persistent });
      at += end;
      return value;
    };
    if (next() !== MAGIC) throw new PickleError("it does not start with PyTorch's magic number");
    const version = next();
    if (version !== VERSION) {
      throw new PickleError(`version ${describeValue(version)}, readable is ${VERSION}`);
    }
    const machine = next();
    if (!(machine instanceof Map)) throw new PickleError("it does not describe the machine that wrote it");
    if (machine.get("little_endian") !== true) throw new PickleError(BIG_ENDIAN);
    const value = next();
    const keys = next();
    if (!Array.isArray(keys)) throw new PickleError("it has no list of storages");

    const places = new Map<string, Uint8Array>();
    for (const key of keys) {
      const storage = storages.get(key as string);
      if (!storage) throw new PickleError(`storage ${describeValue(key)} is not described`);
      if (bytes.length - at < 8) throw new PickleError("it is truncated");
      const count = Number(new DataView(bytes.buffer, bytes.byteOffset + at).getBigInt64(0, true));
      if (count !== storage.count) {
        throw new PickleError(`storage ${storage.key} has ${count} numbers, expected ${storage.count}`);
      }
      at += 8;
      const size = count * bytesOf(storage.dtype);
      if (size > bytes.length - at) throw new PickleError("it is truncated");
      places.set(storage.key, bytes.subarray(at, at + size));
      at += size;
    }
    if (at !== bytes.length) throw new PickleError(`${bytes.length - at} bytes follow the last storage`);
    const bytesOfStorage = ({ key }: Storage) => {
      const place = places.get(key);
      if (!place) throw new PickleError(`storage ${key} is missing`);
      return place;
    };
    return { value, bytesOfStorage };
  });
}

/** What to do about a model that was saved whole, or a checkpoint with objects of a script's own classes. */
const SAVE_WEIGHTS = "save its weights alone: torch.save(model.state_dict(), FILE)";

const BIG_ENDIAN = "a big-endian machine wrote it; load and save it again on another machine";

/** What both kinds have in common: from what was saved to its tensors. */
async function read(file: string, size: number, open: () => Saved | Promise<Saved>): Promise<StateDict> {
  try {
    const { value, bytesOfStorage } = await open();
    const found = findTensors(value);
    const numbers = new Map<Storage, Numbers>();
    let copied = 0;
    const count = (bytes: number) => {
      copied += bytes;
      if (copied > MOST_COPIED * size) {
        throw new PickleError("its tensors share storages so often that memory would not do");
      }
    };
    for (const { storage } of found.values()) {
      if (numbers.has(storage)) continue;
      const { dtype } = storage;
      const opened = toNumbers(dtype, viewAs(dtype, await bytesOfStorage(storage)));
      count(opened.byteLength);
      numbers.set(storage, opened);
    }
    const tensors = [...found].map(([name, tensor]): [string, StateTensor] => {
      const { shape, storage } = tensor;
      const data = numbersOf(tensor, numbers.get(storage)!, count);
      return [name, { shape, dtype: storage.dtype, data }];
    });
    return new StateDict(file, tensors);
  } catch (error) {
    if (error instanceof PickleError) {
      const advice = error instanceof NotAllowed ? `; ${SAVE_WEIGHTS}` : "";
      throw new UserError(`${file}: not a readable PyTorch file: ${error.message}${advice}`);
    }
    throw error;
  }
}

/** A tensor's numbers in row-major order: a view of its storage's where that is possible; a copy is counted first. */
function numbersOf(
  { offset, shape, strides }: TorchTensor,
  numbers: Numbers,
  count: (bytes: number) => void,
): Numbers {
  const size = sizeOf(shape);
  if (isContiguous(shape, strides)) return numbers.subarray(offset, offset + size);
  count(size * numbers.BYTES_PER_ELEMENT);
  return gather(numbers, shape, strides, offset);
}

function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  const expected = rowMajorStrides(shape);
  return shape.every((extent, axis) => extent === 1 || strides[axis] === expected[axis]);
}
