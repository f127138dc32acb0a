/**
 * Keras's weights in HDF5 files, and the same inside of its `.keras` zips.
 *
 * - `model.save("x.h5")` and `save_weights("x.h5")` of Keras 2: a group for each layer, listed by `layer_names`, in each
 *   its `weight_names`.
 * - `save_weights("x.weights.h5")` of Keras 3: `layers/NAME/vars/0`, `1`, …, without names for the variables.
 */
import type { Dataset, Entity, Group } from "h5wasm";
import { UserError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import { StateDict, type StateTensor } from "./state_dict.ts";
import { gather, rowMajorStrides } from "./strided.ts";

/** A dataset may be compressed, but what it says of its size is not believed without end. */
const MOST_TIMES = 8;
const MOST_BYTES_BESIDE = 2 ** 24;

interface Opened {
  readonly shape: Shape;
  readonly data: Float32Array;
}

interface Variable extends Opened {
  readonly name: string;
}

/** Tensors under Keras's names of layers and PyTorch's of variables, in PyTorch's layouts; see convention `keras`. */
export async function readKeras(bytes: Uint8Array, file: string): Promise<StateDict> {
  // 4 MB of WebAssembly that other formats do not need.
  const h5wasm = await import("h5wasm");
  const { FS } = await h5wasm.ready;
  const path = `/${crypto.randomUUID()}.h5`;
  FS.writeFile(path, bytes);
  try {
    const opened = new h5wasm.File(path, "r");
    try {
      const layers = layersOf(opened as unknown as Group, MOST_TIMES * bytes.length + MOST_BYTES_BESIDE);
      const tensors = layers.flatMap(([layer, variables]) =>
        variables.map((variable): [string, StateTensor] => {
          const [ending, tensor] = toTorch(variable);
          return [`${layer}.${ending}`, { ...tensor, dtype: "F32" }];
        })
      );
      if (tensors.length === 0) throw new Error("it holds no weights of Keras's layers");
      return new StateDict(file, tensors, { convention: "keras" });
    } finally {
      opened.close();
    }
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new UserError(`${file}: not a readable Keras file: ${reason || "HDF5 fails"}`);
  } finally {
    FS.unlink(path);
  }
}

type Layer = readonly [name: string, variables: readonly Variable[]];

function layersOf(root: Group, limit: number): Layer[] {
  let left = limit;
  const open = (entity: Entity | null, name: string): Opened => {
    if (!isDataset(entity)) throw new Error(`${name} is missing`);
    const { shape, dtype } = entity;
    if (!shape || (dtype !== "<f" && dtype !== "<d")) {
      throw new Error(`${name} is ${JSON.stringify(dtype)}, readable are little-endian floats`);
    }
    const size = sizeOf(shape);
    left -= 4 * size;
    if (left < 0) throw new Error(`${name} of ${formatShape(shape)} is too large for the file`);
    const data = entity.value;
    const isFloats = data instanceof Float32Array || data instanceof Float64Array;
    if (!isFloats || data.length !== size) throw new Error(`${name} holds no numbers`);
    return { shape, data: new Float32Array(data) };
  };
  const weights = root.get("model_weights");
  const top = isGroup(weights) ? weights : root;
  if (top.attrs.layer_names) return namedLayers(top, open);
  const layers = root.get("layers");
  if (!isGroup(layers)) throw new Error("it has neither layer_names nor layers");
  return numberedLayers(layers, open);
}

type Open = (entity: Entity | null, name: string) => Opened;

function namedLayers(top: Group, open: Open): Layer[] {
  return textsOf(top, "layer_names").map((layer) => {
    const group = top.get(layer);
    if (!isGroup(group)) throw new Error(`layer ${layer} is missing`);
    return [
      layer,
      textsOf(group, "weight_names").map((path) => ({
        // The name ends with ":0", the index of an output.
        name: path.split("/").at(-1)!.split(":")[0]!,
        ...open(group.get(path), path),
      })),
    ];
  });
}

function numberedLayers(layers: Group, open: Open): Layer[] {
  // In the order in which Keras numbers them: conv2d, conv2d_1, … conv2d_10.
  const keys = layers.keys().sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return keys.flatMap((key) => {
    const group = layers.get(key);
    if (!isGroup(group)) return [];
    const inner = group.get("layers");
    if (isGroup(inner)) return numberedLayers(inner, open);
    const variables = group.get("vars");
    if (!isGroup(variables)) return [];
    const opened = variables.keys().sort((a, b) => Number(a) - Number(b))
      .map((index) => open(variables.get(index), `${key}/vars/${index}`));
    const known = opened.length === 4 && opened.every(({ shape }) => shape.length === 1)
      ? ["gamma", "beta", "moving_mean", "moving_variance"]
      : [key.startsWith("depthwise") ? "depthwise_kernel" : "kernel", "bias"];
    const name = variables.attrs.name?.value;
    const layer = typeof name === "string" ? name : key;
    return [[layer, opened.map((variable, i) => ({ name: known[i] ?? String(i), ...variable }))]];
  });
}

const ENDINGS: Readonly<Record<string, string>> = {
  kernel: "weight",
  depthwise_kernel: "weight",
  bias: "bias",
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
};

/** PyTorch's name and layout. */
function toTorch({ name, shape, data }: Variable): [ending: string, tensor: Opened] {
  const ending = ENDINGS[name] ?? name;
  if (ending !== "weight") return [ending, { shape, data }];
  if (shape.length === 2) return [ending, permute({ shape, data }, [1, 0])];
  if (shape.length !== 4) return [ending, { shape, data }];
  if (name !== "depthwise_kernel") return [ending, permute({ shape, data }, [3, 2, 0, 1])];
  // kH, kW, in, multiplier → in · multiplier, 1, kH, kW
  const { shape: [inputs = 0, multiplier = 0, ...kernel], data: moved } = permute({ shape, data }, [
    2,
    3,
    0,
    1,
  ]);
  return [ending, { shape: [inputs * multiplier, 1, ...kernel], data: moved }];
}

/** Axis i of the result is axis `axes[i]` of what is given. */
function permute({ shape, data }: Opened, axes: readonly number[]): Opened {
  const strides = rowMajorStrides(shape);
  const target = axes.map((axis) => shape[axis]!);
  return { shape: target, data: gather(data, target, axes.map((axis) => strides[axis]!)) };
}

function textsOf(group: Group, attribute: string): string[] {
  const value = group.attrs[attribute]?.value;
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value;
  // An empty list is written as a list of floats.
  if (ArrayBuffer.isView(value) && value.byteLength === 0) return [];
  throw new Error(`${attribute} is no list of names`);
}

function isGroup(entity: Entity | null): entity is Group {
  return entity !== null && "type" in entity && entity.type === "Group";
}

function isDataset(entity: Entity | null): entity is Dataset {
  return entity !== null && "type" in entity && entity.type === "Dataset";
}
