/** Writes a state_dict as `torch.save` does, so that `torch.load(path, weights_only=True)` reads it. */
import type { Numbers } from "./dtype.ts";
import type { StateTensor } from "./state_dict.ts";
import { rowMajorStrides } from "./strided.ts";

/** Tensors are written as their numbers are: f32, i32 or i64. */
const STORAGES = new Map<unknown, string>([
  [Float32Array, "FloatStorage"],
  [Int32Array, "IntStorage"],
  [BigInt64Array, "LongStorage"],
]);

const encoder = new TextEncoder();

/** The bytes of a zip with an OrderedDict of tensors. */
export async function writeTorch(
  tensors: ReadonlyMap<string, Pick<StateTensor, "shape" | "data">>,
): Promise<Uint8Array> {
  const { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import("@zip.js/zip.js");
  configure({ useWebWorkers: false });
  const zip = new ZipWriter(new Uint8ArrayWriter(), {
    level: 0,
    dataDescriptor: false,
    extendedTimestamp: false,
  });
  const add = (name: string, bytes: Uint8Array) => zip.add(`archive/${name}`, new Uint8ArrayReader(bytes));
  await add("data.pkl", pickleOf(tensors));
  await add("byteorder", encoder.encode("little"));
  let key = 0;
  for (const { data } of tensors.values()) await add(`data/${key++}`, bytesOf(data));
  await add("version", encoder.encode("3\n"));
  return await zip.close();
}

function bytesOf(data: Numbers): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A pickle of protocol 2; storage i is the i-th tensor's. */
function pickleOf(tensors: ReadonlyMap<string, Pick<StateTensor, "shape" | "data">>): Uint8Array {
  const bytes: number[] = [0x80, 2];
  // One by one: names may be longer than a call may have arguments.
  const append = (more: Uint8Array) => more.forEach((byte) => bytes.push(byte));
  const code = (text: string) => append(encoder.encode(text));
  const int32 = (value: number) => append(new Uint8Array(Int32Array.of(value).buffer));
  const integer = (value: number) => {
    if (value < 2 ** 31) {
      code("J");
      int32(value);
    } else {
      bytes.push(0x8a, 8);
      append(new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
    }
  };
  const text = (value: string) => {
    const utf8 = encoder.encode(value);
    code("X");
    int32(utf8.length);
    append(utf8);
  };
  const tuple = (values: readonly number[]) => {
    code("(");
    values.forEach(integer);
    code("t");
  };
  const emptyDict = () => code("ccollections\nOrderedDict\n)R");

  emptyDict();
  code("(");
  let key = 0;
  for (const [name, { shape, data }] of tensors) {
    text(name);
    code("ctorch._utils\n_rebuild_tensor_v2\n((");
    text("storage");
    code(`ctorch\n${STORAGES.get(data.constructor)}\n`);
    text(String(key++));
    text("cpu");
    integer(data.length);
    code("tQ");
    integer(0);
    tuple(shape);
    tuple(rowMajorStrides(shape));
    bytes.push(0x89); // Needs no gradient
    emptyDict();
    code("tR");
  }
  code("u.");
  return Uint8Array.from(bytes);
}
