/**
 * Number types of tensors in files, under safetensors' names.
 *
 * Typed arrays are used as a file's bytes, so the machine must be little endian; all that run WebAssembly engines are.
 */

/** JavaScript's arrays for them; BF16, which has none, is kept as its bits. */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Float16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

export type Dtype = keyof typeof ARRAYS;
export type DtypeArray<D extends Dtype = Dtype> = InstanceType<(typeof ARRAYS)[D]>;

export const dtypes: readonly Dtype[] = Object.keys(ARRAYS) as Dtype[];

/** What a program computes with: floats as f32, whole numbers exactly. */
export type Numbers = Float32Array | Int32Array | BigInt64Array;

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(ARRAYS, name);
}

export function bytesOf(dtype: Dtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

export function isArrayOf(dtype: Dtype, data: unknown): boolean {
  return data instanceof ARRAYS[dtype];
}

/** The bytes as numbers: a view of them where they are aligned, otherwise of a copy. */
export function viewAs<D extends Dtype>(dtype: D, bytes: Uint8Array): DtypeArray<D> {
  const TypedArray = ARRAYS[dtype];
  const size = TypedArray.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const length = aligned.byteLength / size;
  return new TypedArray(aligned.buffer as ArrayBuffer, aligned.byteOffset, length) as DtypeArray<D>;
}

/** F32, I32 and I64 as they are; other floats rounded to F32, shorter whole numbers widened to I32. */
export function toNumbers(dtype: Dtype, data: DtypeArray): Numbers {
  switch (dtype) {
    case "F32":
    case "I32":
    case "I64":
      return data as Numbers;
    case "F64":
    case "F16":
      return new Float32Array(data as Float64Array | Float16Array);
    case "BF16":
      // The upper half of an f32's bits.
      return new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer);
    default:
      return new Int32Array(data as Uint8Array);
  }
}
