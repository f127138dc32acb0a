/** The weights of an ONNX model's layers. */
import { UserError } from "../errors.ts";
import { type Dtype, toNumbers, viewAs } from "../format/dtype.ts";
import { StateDict, type StateTensor } from "../format/state_dict.ts";
import { gather } from "../format/strided.ts";
import { bytesOf } from "../format/dtype.ts";
import { sizeOf } from "../shape.ts";
import { decodeModel, elementTypes, type ModelProto, type NodeProto, type TensorProto } from "./schema.ts";

/** Operators that are layers, whose inputs after the first are weights. */
const LAYERS = new Set([
  "Conv",
  "ConvTranspose",
  "Gemm",
  "BatchNormalization",
  "InstanceNormalization",
  "PRelu",
]);

const DTYPES = new Map<number, Dtype>(
  Object.entries(elementTypes).map(([dtype, number]) => [number, dtype as Dtype]),
);

/** The constants that convolutions, fully connected layers and norms use, under their names in the file. */
export function readOnnx(bytes: Uint8Array, file: string): StateDict {
  const fail = (what: string): never => {
    throw new UserError(`${file}: not a readable ONNX file: ${what}`);
  };
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    return fail((error as Error).message.split("\n")[0]!);
  }
  const { graph } = model;
  if (!graph) return fail("it has no graph");
  const constants = new Map<string, TensorProto>();
  for (const tensor of graph.initializer) constants.set(tensor.name ?? "", tensor);
  for (const { opType, output: [name], attribute } of graph.node) {
    const tensor = attribute.find(({ name }) => name === "value")?.t;
    if (opType === "Constant" && name !== undefined && tensor) constants.set(name, tensor);
  }
  const weights = new Map<string, StateTensor>();
  for (const node of graph.node) {
    if (!LAYERS.has(node.opType)) continue;
    for (const name of node.input.slice(1)) {
      const constant = constants.get(name);
      if (constant && !weights.has(name)) {
        weights.set(name, asPyTorchs(node, name, tensorOf(name, constant, fail)));
      }
    }
  }
  if (weights.size === 0) return fail("none of its layers has weights in the file");
  const metadata = Object.fromEntries((model.metadataProps ?? []).map(({ key, value }) => [key, value]));
  return new StateDict(file, weights, { metadata });
}

/** A fully connected layer's weight is [out, in]. */
function asPyTorchs({ opType, attribute, input }: NodeProto, name: string, tensor: StateTensor): StateTensor {
  const isTransposed = Number(attribute.find(({ name }) => name === "transB")?.i ?? 0) === 1;
  const [rows, columns] = tensor.shape;
  if (opType !== "Gemm" || input[1] !== name || isTransposed || columns === undefined) return tensor;
  return { ...tensor, shape: [columns, rows!], data: gather(tensor.data, [columns, rows!], [1, columns]) };
}

function tensorOf(name: string, tensor: TensorProto, fail: (what: string) => never): StateTensor {
  const { dataType, rawData, dataLocation } = tensor;
  const shape = tensor.dims.map(Number);
  const dtype = DTYPES.get(dataType);
  if (!dtype) return fail(`${name} has elements of type ${dataType}, which is not known here`);
  if (dataLocation === 1) return fail(`${name} is kept in another file`);
  const size = sizeOf(shape);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || !Number.isSafeInteger(size)) {
    return fail(`${name} has a shape that cannot be`);
  }
  if (rawData && rawData.length > 0) {
    const expected = size * bytesOf(dtype);
    if (rawData.length !== expected) return fail(`${name} has ${rawData.length} bytes, expected ${expected}`);
    return { shape, dtype, data: toNumbers(dtype, viewAs(dtype, rawData)) };
  }
  const data = listOf(tensor, dtype);
  if (!data || data.length !== size) {
    return fail(`${name} has ${data?.length ?? 0} numbers, expected ${size}`);
  }
  return { shape, dtype, data };
}

/** Numbers that are written one by one. */
function listOf(tensor: TensorProto, dtype: Dtype): StateTensor["data"] | undefined {
  if (dtype === "F32") return Float32Array.from(tensor.floatData ?? []);
  if (dtype === "F64") return Float32Array.from(tensor.doubleData ?? []);
  if (dtype === "I64") return BigInt64Array.from(tensor.int64Data ?? [], (value) => BigInt(String(value)));
  // Halves are written as the numbers that their bits are.
  const bits = Uint16Array.from(tensor.int32Data ?? []);
  if (dtype === "F16" || dtype === "BF16") {
    return toNumbers(dtype, viewAs(dtype, new Uint8Array(bits.buffer)));
  }
  return Int32Array.from(tensor.int32Data ?? []);
}
