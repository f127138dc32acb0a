/**
 * Reads what `torch.save` wrote, and runs nothing: the pickle is data (core/format/pickle.ts), every size is checked
 * against the file, and no more memory is taken than `MOST_COPIED` times the file's size.
 *
 * - Since PyTorch 1.6, a zip of stored records: `NAME/data.pkl`, `NAME/data/KEY` for each storage, `NAME/byteorder`.
 * - Before, pickles one after another (a magic number, a version, the machine, the object, the storages' keys), then for
 *   each storage its count as i64, and its numbers.
 */
import { UserError } from "../errors.ts";
import { sizeOf } from "../shape.ts";
import { bytesOf, type DtypeArray, type Numbers, toNumbers, viewAs } from "./dtype.ts";
import { PickleError, type PickleValue, readPickle } from "./pickle.ts";
import { StateDict, type StateTensor } from "./state_dict.ts";
import { findTensors } from "./torch_checkpoint.ts";
import { type Storage, storageLookup, torchGlobals, TorchTensor } from "./torch_pickle.ts";
import { readZip } from "./zip.ts";

/** A file's tensors may be converted and share storages, but not without end. */
const MOST_COPIED = 8;

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** Whether bytes start as the pickle of the magic number does. */
export function isLegacyTorch(bytes: Uint8Array): boolean {
  return /^\x80.\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19/s.test(
    String.fromCharCode(...bytes.subarray(0, 14)),
  );
}

/** Where a storage's bytes are. */
type Bytes = (storage: Storage) => Uint8Array;

export async function readTorchZip(bytes: Uint8Array, file: string): Promise<StateDict> {
  const records = await readZip(bytes, file);
  const pickle = [...records.keys()].find((name) => name === "data.pkl" || name.endsWith("/data.pkl"));
  if (pickle === undefined) {
    throw new UserError(`${file}: a zip, but not one of torch.save: it has no data.pkl`);
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  return read(file, bytes.length, () => {
    if (records.has(`${folder}constants.pkl`)) {
      throw new PickleError("it is a TorchScript program; save the state_dict() of its module instead");
    }
    const order = records.get(`${folder}byteorder`);
    if (order && new TextDecoder().decode(order) !== "little") throw new PickleError(BIG_ENDIAN);
    const { value } = readPickle(records.get(pickle)!, {
      globals: torchGlobals,
      persistent: storageLookup(new Map()),
    });
    const bytesOfStorage: Bytes = ({ key, dtype, count }) => {
      const data = records.get(`${folder}data/${key}`);
      if (!data) throw new PickleError(`storage ${key} is missing`);
      return checkedSize(data, key, count * bytesOf(dtype));
    };
    return { value, bytesOfStorage };
  });
}

export function readLegacyTorch(bytes: Uint8Array, file: string): StateDict {
  return read(file, bytes.length, () => {
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
    if (version !== VERSION) throw new PickleError(`version ${String(version)}, readable is ${VERSION}`);
    const machine = next();
    if (!(machine instanceof Map)) throw new PickleError("it does not describe the machine that wrote it");
    if (machine.get("little_endian") !== true) throw new PickleError(BIG_ENDIAN);
    const value = next();
    const keys = next();
    if (!Array.isArray(keys)) throw new PickleError("it has no list of storages");

    const places = new Map<string, Uint8Array>();
    for (const key of keys) {
      const storage = storages.get(key as string);
      if (!storage) throw new PickleError(`storage ${String(key)} is not described`);
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
    const bytesOfStorage: Bytes = ({ key }) => {
      const place = places.get(key);
      if (!place) throw new PickleError(`storage ${key} is missing`);
      return place;
    };
    return { value, bytesOfStorage };
  });
}

const BIG_ENDIAN = "a big-endian machine wrote it; load and save it again on another machine";

/** What both kinds have in common: from the object that was saved to its tensors. */
function read(
  file: string,
  size: number,
  open: () => { value: PickleValue; bytesOfStorage: Bytes },
): StateDict {
  try {
    const { value, bytesOfStorage } = open();
    const gather = createGatherer(bytesOfStorage, MOST_COPIED * size);
    const tensors = [...findTensors(value)].map(([name, tensor]): [string, StateTensor] => {
      return [name, { shape: tensor.shape, dtype: tensor.storage.dtype, data: gather(tensor) }];
    });
    return new StateDict(file, tensors);
  } catch (error) {
    if (error instanceof PickleError) {
      throw new UserError(`${file}: not a readable PyTorch file: ${error.message}`);
    }
    throw error;
  }
}

/** Makes a function that gives a tensor's numbers in row-major order: a view of the storage's where that is possible. */
function createGatherer(bytesOfStorage: Bytes, limit: number): (tensor: TorchTensor) => Numbers {
  const opened = new Map<string, Numbers>();
  let copied = 0;
  const countCopy = (bytes: number) => {
    copied += bytes;
    if (copied > limit) throw new PickleError("its tensors share storages so often that they would not fit");
  };
  const open = (storage: Storage): Numbers => {
    const known = opened.get(storage.key);
    if (known) return known;
    const { dtype } = storage;
    const numbers = toNumbers(dtype, viewAs(dtype, bytesOfStorage(storage)) as DtypeArray);
    countCopy(numbers.byteLength);
    opened.set(storage.key, numbers);
    return numbers;
  };
  return ({ storage, offset, shape, strides }) => {
    const numbers = open(storage);
    const size = sizeOf(shape);
    if (isContiguous(shape, strides)) return numbers.subarray(offset, offset + size);
    countCopy(size * numbers.BYTES_PER_ELEMENT);
    const data = numbers.slice(0, size);
    let at = offset;
    const index = shape.map(() => 0);
    for (let i = 0; i < size; i++) {
      data[i] = numbers[at]!;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += strides[axis]!;
        if (++index[axis]! < shape[axis]!) break;
        at -= index[axis]! * strides[axis]!;
        index[axis] = 0;
      }
    }
    return data;
  };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function checkedSize(data: Uint8Array, key: string, expected: number): Uint8Array {
  if (data.length === expected) return data;
  throw new PickleError(`storage ${key} has ${data.length} bytes, expected ${expected}`);
}
