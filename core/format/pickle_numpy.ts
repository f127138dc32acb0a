/** What pickles of NumPy arrays name, for `readPickle`. */
import {
  PickleError,
  type PickleFunction,
  PickleObject,
  pickleText,
  type PickleValue,
} from "./pickle_value.ts";

/** NumPy's own limit. */
const MOST_AXES = 64;

/** An array as its pickle has it. */
export class NumpyArray extends PickleObject {
  dtype = "";
  shape: readonly number[] = [];
  /** True: the first axis varies fastest. */
  fortranOrder = false;
  data: Uint8Array = new Uint8Array();

  setState(state: PickleValue): void {
    if (!Array.isArray(state)) throw new PickleError("a NumPy array's state is no tuple");
    const [, shape, dtype, fortranOrder, data] = state;
    this.set(shape, dtype, fortranOrder === true, data);
  }

  set(shape: PickleValue | undefined, dtype: PickleValue | undefined, fortran: boolean, data: unknown): this {
    if (
      !Array.isArray(shape) || shape.length > MOST_AXES ||
      !shape.every((extent) => typeof extent === "number") ||
      !(dtype instanceof NumpyDtype) || !(data instanceof Uint8Array)
    ) {
      throw new PickleError("a NumPy array is not described by a shape, a dtype and bytes");
    }
    this.shape = shape;
    this.dtype = dtype.name;
    this.fortranOrder = fortran;
    this.data = data;
    return this;
  }
}

class NumpyDtype extends PickleObject {
  constructor(readonly name: string) {
    super();
  }

  /** Version and byte order; of no matter for bytes, the only dtype that is read. */
  setState(): void {}
}

/** `_reconstruct(ndarray, (0,), b"b")`: an array whose content follows as its state. */
const reconstruct: PickleFunction = () => new NumpyArray();

/** `_frombuffer(bytes, dtype, shape, order)`, as protocol 5 has it. */
const fromBuffer: PickleFunction = ([data, dtype, shape, order]) =>
  new NumpyArray().set(shape, dtype, pickleText(order) === "F", data);

const makeDtype: PickleFunction = ([name]) => {
  const text = pickleText(name);
  if (text !== "u1") throw new PickleError(`a NumPy array has dtype ${text ?? "unknown"}, readable is u1`);
  return new NumpyDtype(text);
};

/** Python 3 writes bytes as `encode(text, "latin1")` in protocol 2. */
const encodeLatin1: PickleFunction = ([text, encoding]) => {
  if (typeof text !== "string" || pickleText(encoding) !== "latin1") {
    throw new PickleError("_codecs.encode is allowed for latin1 only");
  }
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};

const notCallable: PickleFunction = () => {
  throw new PickleError("it calls numpy.ndarray");
};

/** NumPy 2 renamed `core` to `_core`. */
export const numpyGlobals: ReadonlyMap<string, PickleFunction> = new Map([
  ["numpy.core.multiarray _reconstruct", reconstruct],
  ["numpy._core.multiarray _reconstruct", reconstruct],
  ["numpy.core.numeric _frombuffer", fromBuffer],
  ["numpy._core.numeric _frombuffer", fromBuffer],
  ["numpy ndarray", notCallable],
  ["numpy dtype", makeDtype],
  ["_codecs encode", encodeLatin1],
]);
