/** Convolution and the fully connected layer, which is a convolution of 1×1 images. */
import { f32, type TensorType } from "../graph/graph.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import { ownInputs, type WithEpilogue } from "./epilogue.ts";
import { at, expectRank, expectWhole, first, known, Misfit, type Op } from "./op.ts";
import { expectSliding, slidingExtent } from "./sliding.ts";

export interface ConvAttrs extends WithEpilogue {
  readonly stride: readonly [number, number];
  /** `[top, left, bottom, right]` */
  readonly padding: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

function convOutput(x: Shape, weight: Shape, attrs: ConvAttrs): Shape {
  expectRank(x, 4, "the input of conv2d (N, C, H, W)");
  expectRank(weight, 4, "the weight of conv2d (out, in / groups, height, width)");
  const [n, channels, height, width] = x as [number, number, number, number];
  const [out, inPerGroup, kernelHeight, kernelWidth] = weight as [number, number, number, number];
  const { groups, stride, padding, dilation } = attrs;
  expectWhole("out_channels", [out], 1);
  expectWhole("groups", [groups], 1);
  expectSliding([kernelHeight, kernelWidth], attrs);
  if (channels !== inPerGroup * groups) {
    throw new Misfit(
      `the layer expects ${inPerGroup * groups} input channels and gets ${channels} ` +
        `(weight ${formatShape(weight)}, groups ${groups})`,
    );
  }
  if (out % groups !== 0) throw new Misfit(`${out} output channels do not divide into ${groups} groups`);
  const rows = slidingExtent(height, kernelHeight, stride[0], padding[0], padding[2], dilation[0]);
  const columns = slidingExtent(width, kernelWidth, stride[1], padding[1], padding[3], dilation[1]);
  if (rows < 1 || columns < 1) {
    throw new Misfit(
      `the ${kernelHeight}×${kernelWidth} kernel does not fit into the ${height}×${width} image ` +
        `with padding [${padding.join(", ")}]: the image vanishes here`,
    );
  }
  return [n, out, rows, columns];
}

function expectBias(inputs: readonly TensorType[], out: number): void {
  const bias = inputs[2]?.shape;
  if (bias && (bias.length !== 1 || bias[0] !== out)) {
    throw new Misfit(`the bias must be [${out}], not ${formatShape(bias)}`);
  }
}

/** `(x [N, C, H, W], weight [O, C/groups, kH, kW], bias? [O]) → y [N, O, H', W']`, a cross-correlation as in PyTorch. */
export const conv2d: Op<ConvAttrs> = {
  infer(inputs, attrs) {
    const y = convOutput(first(inputs).shape, first(inputs, 1).shape, attrs);
    expectBias(ownInputs(inputs, attrs), at(y, 1));
    return [f32(y)];
  },
  gradient(emit, { inputs: [x, weight, bias], attrs }, [grad], needs) {
    const dy = known(grad);
    return [
      needs[0]
        ? emit("conv2d_grad_input", [dy, known(weight)], { ...attrs, input: known(x).shape })[0]
        : undefined,
      needs[1]
        ? emit("conv2d_grad_weight", [dy, known(x)], { ...attrs, weight: known(weight).shape })[0]
        : undefined,
      bias && needs[2] ? emit("sum_channels", [dy], {})[0] : undefined,
    ];
  },
  macs(inputs, outputs) {
    const weight = first(inputs, 1).shape;
    return sizeOf(first(outputs).shape) * sizeOf(weight.slice(1));
  },
};

/** `(dy [N, O, H', W'], weight) → dx`, of shape `input`. */
export const conv2d_grad_input: Op<ConvAttrs & { readonly input: Shape }> = {
  infer: (_inputs, attrs) => [f32(attrs.input)],
  macs: (inputs) => sizeOf(first(inputs).shape) * sizeOf(first(inputs, 1).shape.slice(1)),
};

/** `(dy [N, O, H', W'], x) → dw`, of shape `weight`. */
export const conv2d_grad_weight: Op<ConvAttrs & { readonly weight: Shape }> = {
  infer: (_inputs, attrs) => [f32(attrs.weight)],
  macs: (inputs, _outputs, attrs) => sizeOf(first(inputs).shape) * sizeOf(attrs.weight.slice(1)),
};

/** `(x [N, in], weight [out, in], bias? [out]) → y [N, out] = x · weightᵀ + bias` */
export const linear: Op<WithEpilogue> = {
  infer(inputs, attrs) {
    const x = first(inputs).shape;
    const weight = first(inputs, 1).shape;
    expectRank(weight, 2, "the weight of linear (out, in)");
    expectWhole("the number of features", weight, 1);
    if (x.at(-1) !== weight[1]) {
      throw new Misfit(
        `the layer expects ${weight[1]} features and gets ${x.at(-1)} (weight ${formatShape(weight)})` +
          (x.length > 2 ? "; flatten an image first" : ""),
      );
    }
    expectRank(x, 2, "the input of linear (N, features)");
    expectBias(ownInputs(inputs, attrs), at(weight, 0));
    return [f32([at(x, 0), at(weight, 0)])];
  },
  gradient(emit, { inputs: [x, weight, bias] }, [grad], needs) {
    const dy = known(grad);
    return [
      needs[0] ? emit("linear_grad_input", [dy, known(weight)], {})[0] : undefined,
      needs[1] ? emit("linear_grad_weight", [dy, known(x)], {})[0] : undefined,
      bias && needs[2] ? emit("sum_channels", [dy], {})[0] : undefined,
    ];
  },
  macs: (inputs, outputs) => sizeOf(first(outputs).shape) * at(first(inputs).shape, 1),
};

/** `(dy [N, out], weight [out, in]) → dx [N, in] = dy · weight` */
export const linear_grad_input: Op<WithEpilogue> = {
  infer: (inputs) => [f32([at(first(inputs).shape, 0), at(first(inputs, 1).shape, 1)])],
  macs: (inputs) => at(first(inputs).shape, 0) * sizeOf(first(inputs, 1).shape),
};

/** `(dy [N, out], x [N, in]) → dw [out, in] = dyᵀ · x` */
export const linear_grad_weight: Op<Record<never, never>> = {
  infer: (inputs) => [f32([at(first(inputs).shape, 1), at(first(inputs, 1).shape, 1)])],
  macs: (inputs) => sizeOf(first(inputs).shape) * at(first(inputs, 1).shape, 1),
};

/** `(x [N, C, …]) → sums [C]` over all axes but the channels: the gradient to a bias. */
export const sum_channels: Op<Record<never, never>> = {
  infer: (inputs) => [f32([at(first(inputs).shape, 1)])],
};
