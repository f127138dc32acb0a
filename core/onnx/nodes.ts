/** Each op of inference as ONNX operators: https://github.com/onnx/onnx/blob/main/docs/Operators.md */
import { UserError } from "../errors.ts";
import type { Node } from "../graph/graph.ts";
import type { AttrsOf, OpName } from "../ops/mod.ts";
import type { PoolAttrs } from "../ops/pool.ts";
import type { Shape } from "../shape.ts";
import { type Attributes, type OnnxWriter, tensorOf } from "./writer.ts";

/** Adds what an op is in ONNX; returns the name of its first output. */
type Lower<K extends OpName> = (writer: OnnxWriter, node: Node<K>, name: string, inputs: string[]) => string;

/** An operator with attributes that need no more than that. */
function plain<K extends OpName>(
  opType: string,
  attributes: (attrs: AttrsOf<K>) => Attributes = () => ({}),
): Lower<K> {
  return (writer, { attrs }, name, inputs) => writer.node(opType, name, inputs, attributes(attrs))[0]!;
}

const table: { readonly [K in OpName]?: Lower<K> } = {
  conv2d: (writer, { inputs: [, weight], attrs }, name, inputs) =>
    writer.node("Conv", name, inputs, {
      kernel_shape: weight!.shape.slice(2),
      strides: attrs.stride,
      pads: attrs.padding,
      dilations: attrs.dilation,
      group: attrs.groups,
    })[0]!,
  linear: plain("Gemm", () => ({ transB: 1 })),
  batch_norm: (writer, { attrs }, name, inputs) =>
    writer.node("BatchNormalization", name, inputs, { epsilon: { f: attrs.eps } })[0]!,
  local_response_norm(writer, { attrs, scope }, name, inputs) {
    const { size, alpha, beta, k } = attrs;
    if (size % 2 === 0) {
      throw new UserError(
        `${scope}: a local response norm over an even number of channels (${size}) has none in ONNX`,
      );
    }
    return writer.node("LRN", name, inputs, {
      size,
      alpha: { f: alpha },
      beta: { f: beta },
      bias: { f: k },
    })[0]!;
  },

  relu: plain("Relu"),
  leaky_relu: plain("LeakyRelu", ({ negative_slope }) => ({ alpha: { f: negative_slope } })),
  relu6(writer, _node, name, inputs) {
    const [low, high] = [0, 6].map((limit) => writer.constant(`${name}/limit`, [], Float32Array.of(limit)));
    return writer.node("Clip", name, [...inputs, low!, high!])[0]!;
  },
  sigmoid: plain("Sigmoid"),
  tanh: plain("Tanh"),
  softmax: plain("Softmax", ({ dim }) => ({ axis: dim })),
  log_softmax: plain("LogSoftmax", ({ dim }) => ({ axis: dim })),

  max_pool2d: (writer, { inputs: [x], outputs: [y], attrs }, name, inputs) =>
    writer.node("MaxPool", name, inputs, {
      ...poolAttributes(attrs, x!.shape, y!.shape, attrs.dilation, attrs.padding),
      dilations: attrs.dilation,
    })[0]!,
  avg_pool2d(writer, { inputs: [x], outputs: [y], attrs }, name, inputs) {
    const { padding, count_include_pad, kernel } = attrs;
    // Padding that counts is zeros; what hangs over the end in ceil mode never counts.
    if (!count_include_pad || padding.every((side) => side === 0)) {
      const attributes = poolAttributes(attrs, x!.shape, y!.shape, [1, 1], padding);
      return writer.node("AveragePool", name, inputs, attributes)[0]!;
    }
    const [top, left, bottom, right] = padding;
    const pads = writer.integers(`${name}/pads`, [0, 0, top, left, 0, 0, bottom, right]);
    const padded = writer.node("Pad", `${name}/padded`, [...inputs, pads]);
    const [n, c, height, width] = x!.shape as [number, number, number, number];
    const shape = [n, c, height + top + bottom, width + left + right];
    const attributes = poolAttributes({ ...attrs, kernel }, shape, y!.shape, [1, 1], [0, 0, 0, 0]);
    return writer.node("AveragePool", name, padded, attributes)[0]!;
  },
  adaptive_avg_pool2d(writer, { inputs: [x], attrs: { output } }, name, inputs) {
    const image = x!.shape.slice(2) as [number, number];
    if (output[0] === 1 && output[1] === 1) return writer.node("GlobalAveragePool", name, inputs)[0]!;
    if (image.every((extent, axis) => extent % output[axis]! === 0)) {
      const size = image.map((extent, axis) => extent / output[axis]!);
      return writer.node("AveragePool", name, inputs, { kernel_shape: size, strides: size })[0]!;
    }
    // Cells of unequal sizes: a product with the means of rows, and one with those of columns.
    const rows = writer.constant(`${name}/rows`, [output[0], image[0]], cellMeans(image[0], output[0]));
    const columns = writer.constant(
      `${name}/columns`,
      [image[1], output[1]],
      transposed(cellMeans(image[1], output[1]), output[1]),
    );
    const [high] = writer.node("MatMul", `${name}/of_rows`, [rows, ...inputs]);
    return writer.node("MatMul", name, [high!, columns])[0]!;
  },

  add: plain("Add"),
  multiply: plain("Mul"),
  scale(writer, { attrs }, name, inputs) {
    const factor = writer.constant(`${name}/factor`, [], Float32Array.of(attrs.factor));
    return writer.node("Mul", name, [...inputs, factor])[0]!;
  },
  fill(writer, { outputs: [y], attrs: { shape, value } }, name) {
    const extents = withBatch(writer, y!, name, shape);
    const constant = tensorOf("value", [1], Float32Array.of(value));
    return writer.node("ConstantOfShape", name, [extents], { value: { t: constant } })[0]!;
  },
  concat: plain("Concat", ({ dim }) => ({ axis: dim })),
  slice(writer, { attrs: { dim, start, length } }, name, inputs) {
    const [starts, ends, axes] = [start, start + length, dim].map((value) =>
      writer.integers(`${name}/range`, [value])
    );
    return writer.node("Slice", name, [...inputs, starts!, ends!, axes!])[0]!;
  },
  reshape(writer, { outputs: [y], attrs, scope }, name, inputs) {
    const axes = writer.dynamic.get(y!)!;
    if (axes.size > 1) {
      throw new UserError(`${scope}: a shape with two axes that depend on the batch has none in ONNX`);
    }
    const shape = writer.integers(
      `${name}/shape`,
      attrs.shape.map((extent, axis) => axes.has(axis) ? -1 : extent),
    );
    return writer.node("Reshape", name, [...inputs, shape])[0]!;
  },
  flatten_channels_last(writer, { inputs: [x] }, name, inputs) {
    const places = x!.shape.slice(2).map((_, axis) => axis + 2);
    const [turned] = writer.node("Transpose", `${name}/turned`, inputs, { perm: [0, ...places, 1] });
    return writer.node("Flatten", name, [turned!], { axis: 1 })[0]!;
  },
};

/** Adds a node of a graph of inference. Throws `UserError` where ONNX has nothing like it. */
export function lowerNode(writer: OnnxWriter, node: Node): void {
  const lower = table[node.op] as Lower<OpName> | undefined;
  if (!lower) {
    throw new UserError(`${node.scope || "the network"}: the op ${node.op} has no counterpart in ONNX`);
  }
  const name = node.scope ? `${node.scope}/${node.op}` : node.op;
  const inputs = node.inputs.map((value) => writer.nameOf(value));
  writer.names.set(node.outputs[0]!, lower(writer, node, name, inputs));
}

/**
 * Windows of a pool. Shapes are known, so that rounding up, on which versions of ONNX differ, is written as padding at
 * the end.
 */
function poolAttributes(
  { kernel, stride }: PoolAttrs,
  x: Shape,
  y: Shape,
  dilation: readonly [number, number],
  [top, left, bottom, right]: readonly [number, number, number, number],
): Attributes {
  const over = ([0, 1] as const).map((side) => {
    const extent = x[side + 2]! + [top, left][side]! + [bottom, right][side]!;
    const reach = (y[side + 2]! - 1) * stride[side] + dilation[side] * (kernel[side] - 1) + 1;
    return Math.max(0, reach - extent);
  }) as [number, number];
  return { kernel_shape: kernel, strides: stride, pads: [top, left, bottom + over[0], right + over[1]] };
}

/** The matrix [cells, extent] whose rows take the means of an adaptive pool's cells. */
function cellMeans(extent: number, cells: number): Float32Array {
  const matrix = new Float32Array(cells * extent);
  for (let cell = 0; cell < cells; cell++) {
    const start = Math.floor(cell * extent / cells), end = Math.ceil((cell + 1) * extent / cells);
    matrix.fill(1 / (end - start), cell * extent + start, cell * extent + end);
  }
  return matrix;
}

function transposed(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** The name of a shape whose first extent is the batch's, or of a constant one. */
function withBatch(
  writer: OnnxWriter,
  value: Node["outputs"][number],
  name: string,
  shape: Shape,
): string {
  const axes = writer.dynamic.get(value)!;
  if (axes.size === 0) return writer.integers(`${name}/shape`, shape);
  const [batch] = writer.node("Shape", `${name}/batch`, ["input"], { start: 0, end: 1 });
  const rest = writer.integers(`${name}/shape`, shape.slice(1));
  return writer.node("Concat", `${name}/extents`, [batch!, rest], { axis: 0 })[0]!;
}
