/**
 * Keras's weights in HDF5 files, and the same inside of its `.keras` zips.
 *
 * - `model.save("x.h5")` and `save_weights("x.h5")` of Keras 2: a group for each layer, listed by `layer_names`, in each
 *   its `weight_names`.
 * - `save_weights("x.weights.h5")` of Keras 3: `layers/NAME/vars/0`, `1`, …, without names for the variables.
 */
import { UserError } from "../errors.ts";
import type { Shape } from "../shape.ts";
import type { KerasFile, KerasReply, Layer, Variable } from "./keras_worker.ts";
import { StateDict, type StateTensor } from "./state_dict.ts";
import { gather, rowMajorStrides } from "./strided.ts";

/** What reading may take: libhdf5 itself, the file and its numbers; where it is corrupt, it may want more. */
const LIBRARY_BYTES = 2 ** 26;
const TIMES_FILE = 8;
const LIBRARY_SECONDS = 20;
const BYTES_PER_SECOND = 10e6;

/** Tensors under Keras's names of layers and PyTorch's of variables, in PyTorch's layouts; see convention `keras`. */
export async function readKeras(bytes: Uint8Array, file: string): Promise<StateDict> {
  const tensors = (await layersOf(bytes, file)).flatMap(([layer, variables]) =>
    variables.map((variable): [string, StateTensor] => {
      const [ending, tensor] = toTorch(variable);
      return [`${layer}.${ending}`, { ...tensor, dtype: "F32" }];
    })
  );
  if (tensors.length === 0) throw new UserError(`${file}: it holds no weights of Keras's layers`);
  return new StateDict(file, tensors, { convention: "keras" });
}

async function layersOf(bytes: Uint8Array, file: string): Promise<readonly Layer[]> {
  const seconds = LIBRARY_SECONDS + bytes.length / BYTES_PER_SECOND;
  const worker = new Worker(new URL("./keras_worker.ts", import.meta.url), { type: "module" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const reply = await new Promise<KerasReply>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<KerasReply>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve({ error: event.message });
      };
      const late = `it takes more than ${seconds.toFixed()} s to read, so that it must be corrupt`;
      timer = setTimeout(() => resolve({ error: late }), 1000 * seconds);
      const job: KerasFile = { bytes, mostBytes: LIBRARY_BYTES + TIMES_FILE * bytes.length };
      worker.postMessage(job);
    });
    if ("error" in reply) throw new UserError(`${file}: not a readable Keras file: ${reply.error}`);
    return reply.layers;
  } finally {
    clearTimeout(timer);
    worker.terminate();
  }
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

type Numbered = Pick<Variable, "shape" | "data">;

/** PyTorch's name and layout. */
function toTorch({ name, shape, data }: Variable): [ending: string, tensor: Numbered] {
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
function permute({ shape, data }: Numbered, axes: readonly number[]): { shape: Shape; data: Float32Array } {
  const strides = rowMajorStrides(shape);
  const target = axes.map((axis) => shape[axis]!);
  return { shape: target, data: gather(data, target, axes.map((axis) => strides[axis]!)) };
}
