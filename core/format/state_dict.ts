/** What a file of weights holds, whatever its format. */
import { formatShape, type Shape } from "../shape.ts";
import type { Dtype, Numbers } from "./dtype.ts";

export interface StateTensor {
  readonly shape: Shape;
  /** The file's; in `data`, floats are f32 and short whole numbers i32. */
  readonly dtype: Dtype;
  readonly data: Numbers;
}

/**
 * How a file's tensors stand to a network's.
 * - `torch`: names and layouts are PyTorch's.
 * - `keras`: names are those of Keras's layers with PyTorch's endings, layouts PyTorch's but for one thing: the columns of
 *   a linear layer that follows a flattened image are in the order of an image with its channels last.
 * - `darknet`: there are no names: one tensor, `weights`, has all numbers, in the order of the layers.
 */
export type Convention = "torch" | "keras" | "darknet";

/** Tensors by name, in the file's order. */
export class StateDict extends Map<string, StateTensor> {
  /** What errors call the file. */
  readonly file: string;
  readonly convention: Convention;
  /** What the file says of itself besides, such as the metadata of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(
    file: string,
    tensors: Iterable<readonly [string, StateTensor]>,
    options: {
      readonly convention?: Convention;
      readonly metadata?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(tensors);
    this.file = file;
    this.convention = options.convention ?? "torch";
    this.metadata = options.metadata ?? {};
  }
}

/** `F32 [64, 3, 7, 7]` */
export function describeTensor({ dtype, shape }: Pick<StateTensor, "dtype" | "shape">): string {
  return `${dtype} ${formatShape(shape)}`;
}
