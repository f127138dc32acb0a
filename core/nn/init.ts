/** Initialisers: what a parameter starts with, as data. Backends draw the numbers, in parallel. */
import { type Shape, sizeOf } from "../shape.ts";

/** Where a parameter's first numbers come from. */
export type Init =
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "normal"; readonly mean: number; readonly std: number }
  | { readonly kind: "constant"; readonly value: number };

/** The same number everywhere. */
export function constant(value: number): Init {
  return { kind: "constant", value };
}

/** Uniform in [low, high). */
export function uniform(low: number, high: number): Init {
  return { kind: "uniform", low, high };
}

/** Normal, with mean and standard deviation. */
export function normal(mean: number, std: number): Init {
  return { kind: "normal", mean, std };
}

/** Inputs and outputs that each weight of `[out, in, …kernel]` connects, as PyTorch counts them. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  const [out = 1, inputs = 1, ...kernel] = shape;
  const field = sizeOf(kernel);
  return { fanIn: inputs * field, fanOut: out * field };
}

/** PyTorch's default for weights and biases of Conv2d and Linear: uniform in ±1/√fan_in. */
export function defaultUniform(fanIn: number): Init {
  const bound = 1 / Math.sqrt(fanIn);
  return uniform(-bound, bound);
}

/** Glorot & Bengio 2010: uniform in ±√(6 / (fan_in + fan_out)). */
export function xavierUniform(shape: Shape): Init {
  const { fanIn, fanOut } = fans(shape);
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return uniform(-bound, bound);
}

/** He et al. 2015, for ReLU, by fan-in: normal with std √(2 / (in · kernel height · kernel width)). */
export function kaimingNormalFanIn(shape: Shape): Init {
  return normal(0, Math.sqrt(2 / fans(shape).fanIn));
}

/** The same deviation, uniform: in ±√(6 / (in · kernel height · kernel width)). */
export function kaimingUniformFanIn(shape: Shape): Init {
  const bound = Math.sqrt(6 / fans(shape).fanIn);
  return uniform(-bound, bound);
}

/** He et al. 2015, for ReLU, by fan-out: normal with std √(2 / (out · kernel height · kernel width)). */
export function kaimingNormalFanOut(shape: Shape): Init {
  return normal(0, Math.sqrt(2 / fans(shape).fanOut));
}
