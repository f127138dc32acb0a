/** What pickles of PyTorch's tensors name, for `readPickle`. Nothing of it runs: tensors are described, storages looked up. */
import { sizeOf } from "../shape.ts";
import type { Dtype } from "./dtype.ts";
import { PickleError, type PickleFunction, PickleObject, type PickleValue } from "./pickle_value.ts";

/** Numbers outside the pickle, which tensors are windows on. */
export interface Storage {
  readonly key: string;
  readonly dtype: Dtype;
  /** How many numbers there are. */
  readonly count: number;
}

/** A storage as a tensor names it: old files let it start within another one. */
class StorageView extends PickleObject {
  constructor(readonly storage: Storage, readonly start: number, readonly count: number) {
    super();
  }

  override setState(): void {
    throw new PickleError("it gives a state to a storage");
  }
}

/** Element (i, j, …) is number `offset + i · strides[0] + j · strides[1] + …` of the storage. */
export class TorchTensor extends PickleObject {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }

  override setState(): void {
    throw new PickleError("it gives a state to a tensor");
  }
}

/** A value of no matter for weights: an array of NumPy's, a device, a script's arguments. */
class Opaque extends PickleObject {
  override setState(): void {}
}

/** Stands for a storage's class, whose name says the numbers' type. */
class StorageType extends PickleObject {
  constructor(readonly dtype: Dtype) {
    super();
  }

  override setState(): void {
    throw new PickleError("it gives a state to a storage's class");
  }
}

const STORAGE_TYPES: Readonly<Record<string, Dtype>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** `_rebuild_tensor_v2(storage, offset, size, stride, …)` */
const rebuildTensor: PickleFunction = ([view, offset, shape, strides]) => {
  if (!(view instanceof StorageView) || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) {
    throw new PickleError("a tensor is not described by a storage, an offset, a size and strides");
  }
  const tensor = new TorchTensor(view.storage, view.start + offset, shape, strides);
  checkWithin(tensor, offset, view.count);
  return tensor;
};

/** Throws where a tensor reaches beyond its storage. One that repeats numbers (`expand`) may have more elements than that. */
function checkWithin({ shape, strides }: TorchTensor, offset: number, count: number): void {
  if (shape.length !== strides.length || shape.length > 64) {
    throw new PickleError(`a tensor has ${shape.length} axes and ${strides.length} strides`);
  }
  const size = sizeOf(shape);
  const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis]!, offset);
  if (size > 0 && last >= count) {
    throw new PickleError(`a tensor of [${shape.join(", ")}] reaches beyond its storage of ${count} numbers`);
  }
}

const orderedDict: PickleFunction = ([items = []]) => {
  if (!Array.isArray(items)) throw new PickleError("an OrderedDict is made of no list of pairs");
  return new Map(items.map((item) => {
    if (!Array.isArray(item) || item.length !== 2) {
      throw new PickleError("an OrderedDict is made of no list of pairs");
    }
    return item as [PickleValue, PickleValue];
  }));
};

const counter: PickleFunction = ([items = new Map()]) => {
  if (!(items instanceof Map)) throw new PickleError("a Counter is made of no dict");
  return items;
};

const firstArgument: PickleFunction = ([value]) => {
  if (value === undefined) throw new PickleError("a function lacks its argument");
  return value;
};

const opaque: PickleFunction = () => new Opaque();

const emptyDict: PickleFunction = () => new Map();

/** What training scripts keep beside the weights; torchvision's and timm's all their arguments. */
const BESIDE = [
  "argparse Namespace",
  "numpy ndarray",
  "numpy dtype",
  ...["numpy.core", "numpy._core"].flatMap((core) => [
    `${core}.multiarray scalar`,
    `${core}.multiarray _reconstruct`,
    `${core}.numeric _frombuffer`,
  ]),
  "_codecs encode",
  "pathlib PosixPath",
  "pathlib WindowsPath",
  "torch device",
  // Protocol 2 has Python 2's name of the module.
  ...["builtins", "__builtin__"].flatMap((module) =>
    ["set", "frozenset", "list", "dict", "int", "float"].map((name) => `${module} ${name}`)
  ),
];

export const torchGlobals: ReadonlyMap<string, PickleValue> = new Map<string, PickleValue>([
  ["collections OrderedDict", orderedDict],
  ["collections Counter", counter],
  ["collections defaultdict", emptyDict],
  ["torch Size", firstArgument],
  ["torch._utils _rebuild_tensor", rebuildTensor],
  ["torch._utils _rebuild_tensor_v2", rebuildTensor],
  ["torch._utils _rebuild_parameter", firstArgument],
  ["torch._utils _rebuild_parameter_with_state", firstArgument],
  ...BESIDE.map((name) => [name, opaque] as const),
  ...Object.entries(STORAGE_TYPES).map(([name, dtype]) => [`torch ${name}`, new StorageType(dtype)] as const),
]);

/**
 * Makes what `readPickle` asks for storages: their ids are `("storage", class, key, place, count)`, in old files with
 * `(key, start, count)` of a window on it after that. Keeps each storage in `storages`, by its key.
 */
export function storageLookup(storages: Map<string, Storage>): (id: PickleValue) => PickleValue {
  return (id) => {
    const [kind, type, key, , count, view] = Array.isArray(id) ? id : [];
    if (kind !== "storage" || !(type instanceof StorageType) || typeof key !== "string" || !isCount(count)) {
      throw new PickleError("it refers to something outside itself that is no storage");
    }
    const known = storages.get(key);
    if (known && (known.dtype !== type.dtype || known.count !== count)) {
      throw new PickleError(`it describes storage ${key} in two ways`);
    }
    const storage = known ?? { key, dtype: type.dtype, count };
    storages.set(key, storage);
    if (!Array.isArray(view)) return new StorageView(storage, 0, count);
    const [, start, length] = view;
    if (!isCount(start) || !isCount(length) || start + length > count) {
      throw new PickleError(`a window on storage ${key} reaches beyond it`);
    }
    return new StorageView(storage, start, length);
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
