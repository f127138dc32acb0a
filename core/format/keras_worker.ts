/**
 * Takes an HDF5 file apart, away from those who wait for it: libhdf5 may turn in circles on a corrupt file, and ask for
 * memory without end. One file for each worker.
 */
import type { Dataset, Entity, Group } from "h5wasm";
import { formatShape, type Shape, sizeOf } from "../shape.ts";

export interface KerasFile {
  readonly bytes: Uint8Array;
  /** How much memory libhdf5 may have. */
  readonly mostBytes: number;
}

/** A variable as Keras has it. */
export interface Variable {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}

export type Layer = readonly [name: string, variables: readonly Variable[]];

export type KerasReply = { readonly layers: readonly Layer[] } | { readonly error: string };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<KerasFile>) => void;
  postMessage: (reply: KerasReply) => void;
};

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage({ layers: await readLayers(data) });
  } catch (error) {
    scope.postMessage({ error: reasonOf(error) });
  }
};

async function readLayers({ bytes, mostBytes }: KerasFile): Promise<Layer[]> {
  limitMemory(mostBytes);
  const { File, ready } = await import("h5wasm");
  const module = await ready;
  // Otherwise libhdf5 writes its stack of errors to the console.
  module.activate_throwing_error_handler();
  module.FS.writeFile("/weights.h5", bytes);
  return layersOf(new File("/weights.h5", "r") as unknown as Group, mostBytes);
}

/** One line: of libhdf5's stack of errors, what was wrong at its bottom. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const causes = [...message.matchAll(/^ *#\d+: .* in \S+: (.*)$/gm)];
  return causes.at(-1)?.[1] ?? (message.split("\n")[0] || "libhdf5 fails");
}

/** Lets no WebAssembly memory of this worker grow beyond this many bytes: asking for more fails, as it does where there is none. */
function limitMemory(mostBytes: number): void {
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * 2 ** 16 > mostBytes) throw new RangeError("too much memory");
    return grow.call(this, pages);
  };
}

function layersOf(root: Group, mostBytes: number): Layer[] {
  let left = mostBytes;
  const open: Open = (entity, path, name) => {
    if (!isDataset(entity)) throw new Error(`${path} is missing`);
    const { shape, dtype } = entity;
    if (!shape || (dtype !== "<f" && dtype !== "<d")) {
      throw new Error(`${path} is ${JSON.stringify(dtype)}, readable are little-endian floats`);
    }
    const size = sizeOf(shape);
    left -= 8 * size;
    if (left < 0) throw new Error(`${path} of ${formatShape(shape)} is too large for the file`);
    const data = entity.value;
    const isFloats = data instanceof Float32Array || data instanceof Float64Array;
    if (!isFloats || data.length !== size) throw new Error(`${path} holds no numbers`);
    return { name, shape, data: new Float32Array(data) };
  };
  const weights = root.get("model_weights");
  const top = isGroup(weights) ? weights : root;
  if (top.attrs.layer_names) return namedLayers(top, open);
  const layers = root.get("layers");
  if (!isGroup(layers)) throw new Error("it has neither layer_names nor layers");
  return numberedLayers(layers, open);
}

type Open = (entity: Entity | null, path: string, name: string) => Variable;

function namedLayers(top: Group, open: Open): Layer[] {
  return textsOf(top, "layer_names").flatMap((layer): Layer[] => {
    const group = top.get(layer);
    if (!isGroup(group)) throw new Error(`layer ${layer} is missing`);
    const owners = Map.groupBy(
      textsOf(group, "weight_names"),
      (path) => path.split("/").slice(0, -1).join("/"),
    );
    // A network within this one is a layer of it, whose variables are those of its own layers.
    const nameOf = (owner: string) => owners.size === 1 ? layer : owner.split("/").at(-1)!;
    return [...owners].map(([owner, paths]) => [
      nameOf(owner),
      paths.map((path) => open(group.get(path), path, variableOf(path))),
    ]);
  });
}

/** A name ends with ":0" where Keras is 2: the index of an output. */
function variableOf(path: string): string {
  return path.split("/").at(-1)!.split(":")[0]!;
}

function numberedLayers(layers: Group, open: Open, depth = 0): Layer[] {
  if (depth > 16) throw new Error("its layers are nested without end");
  // In the order in which Keras numbers them: conv2d, conv2d_1, … conv2d_10.
  const keys = layers.keys().sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return keys.flatMap((key) => {
    const group = layers.get(key);
    if (!isGroup(group)) return [];
    const inner = group.get("layers");
    if (isGroup(inner)) return numberedLayers(inner, open, depth + 1);
    const variables = group.get("vars");
    if (!isGroup(variables)) return [];
    const indices = variables.keys().sort((a, b) => Number(a) - Number(b));
    const names = indices.length === 4
      ? ["gamma", "beta", "moving_mean", "moving_variance"]
      : [key.startsWith("depthwise") ? "depthwise_kernel" : "kernel", "bias"];
    const name = variables.attrs.name?.value;
    return [[
      typeof name === "string" ? name : key,
      indices.map((index, i) => open(variables.get(index), `${key}/vars/${index}`, names[i] ?? index)),
    ]];
  });
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
