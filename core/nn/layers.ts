/** Layers, under PyTorch's names and with its arguments, defaults and initial values. */
import { UserError } from "../errors.ts";
import { type Pair, pair } from "../shape.ts";
import * as F from "./functional.ts";
import { constant, defaultUniform, fans } from "./init.ts";
import { Buffer, Counter, Module, Parameter } from "./module.ts";
import { expectOptions } from "./options.ts";
import type { Tensor } from "./tensor.ts";

/** Conv2d's arguments beside channels and kernel. */
export interface Conv2dArguments extends F.Conv2dOptions {
  /** Whether a number is added to each channel; true by default. */
  readonly bias?: boolean;
}

/**
 * A convolution of images `[N, in_channels, H, W]` to `[N, out_channels, OH, OW]`, such as
 * `new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false })`. OH is ⌊(H + 2 · padding − dilation · (kernel − 1) − 1) /
 * stride⌋ + 1. `weight` is `[out_channels, in_channels / groups, kH, kW]`, `bias` is `[out_channels]`.
 */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly #options: F.Conv2dOptions;

  constructor(in_channels: number, out_channels: number, kernel_size: Pair, options: Conv2dArguments = {}) {
    super();
    expectOptions("Conv2d", options, ["stride", "padding", "dilation", "groups", "bias"]);
    const { bias = true, ...rest } = options;
    const { groups = 1 } = rest;
    if (in_channels % groups !== 0 || out_channels % groups !== 0) {
      throw new UserError(
        `Conv2d(${in_channels}, ${out_channels}): groups ${groups} must divide the ${in_channels} channels that come in ` +
          `and the ${out_channels} that go out`,
      );
    }
    const shape = [out_channels, in_channels / groups, ...pair(kernel_size)];
    const init = defaultUniform(fans(shape).fanIn);
    this.weight = new Parameter(shape, init);
    this.bias = bias ? new Parameter([out_channels], init) : undefined;
    this.#options = rest;
  }

  forward(x: Tensor): Tensor {
    const { tracer } = x;
    return F.conv2d(x, tracer.state(this.weight), this.bias && tracer.state(this.bias), this.#options);
  }
}

/** x · weightᵀ + bias, `[*, in_features]` to `[*, out_features]`: `new Linear(512, 10)`. `weight` is `[out, in]`. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(in_features: number, out_features: number, options: { readonly bias?: boolean } = {}) {
    super();
    expectOptions("Linear", options, ["bias"]);
    const init = defaultUniform(in_features);
    this.weight = new Parameter([out_features, in_features], init);
    this.bias = options.bias ?? true ? new Parameter([out_features], init) : undefined;
  }

  forward(x: Tensor): Tensor {
    return F.linear(x, x.tracer.state(this.weight), this.bias && x.tracer.state(this.bias));
  }
}

/** Batch norm's arguments beside the number of channels. */
export interface BatchNormOptions {
  /** Added to the variance; 1e-5 by default. */
  readonly eps?: number;
  /** The share that a batch has in the running statistics; 0.1 by default. */
  readonly momentum?: number;
}

/**
 * (x − mean) / √(variance + eps) · weight + bias, channel by channel (Ioffe & Szegedy 2015,
 * https://arxiv.org/abs/1502.03167): in training by the batch's own mean and variance, else by the running ones. All its
 * tensors are `[num_features]`.
 */
abstract class BatchNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly running_mean: Buffer;
  readonly running_var: Buffer;
  readonly num_batches_tracked: Counter = new Counter();
  /** Normalises by the running statistics in training too, and leaves them as they are. */
  frozen = false;
  readonly #options: Required<BatchNormOptions>;

  constructor(num_features: number, options: BatchNormOptions = {}) {
    super();
    expectOptions(this.constructor.name, options, ["eps", "momentum"]);
    if (options.momentum as number | null === null) {
      throw new UserError(
        `${this.constructor.name}: there is no momentum null (the mean of all batches); give a number`,
      );
    }
    this.weight = new Parameter([num_features], constant(1));
    this.bias = new Parameter([num_features], constant(0));
    this.running_mean = new Buffer([num_features], constant(0));
    this.running_var = new Buffer([num_features], constant(1));
    this.#options = { eps: options.eps ?? 1e-5, momentum: options.momentum ?? 0.1 };
  }

  forward(x: Tensor): Tensor {
    const { tracer } = x;
    const states = [this.weight, this.bias, this.running_mean, this.running_var].map((item) =>
      tracer.state(item)
    );
    const training = tracer.training && !this.frozen;
    return tracer.apply("batch_norm", [x.value, ...states], { training, ...this.#options });
  }
}

/** Batch norm of each feature of `[N, C]` (or each channel of `[N, C, L]`). */
export class BatchNorm1d extends BatchNorm {}

/** Batch norm of each channel of `[N, C, H, W]`. */
export class BatchNorm2d extends BatchNorm {}

/** max(x, 0) */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return F.relu(x);
  }
}

/** x > 0 ? x : negative_slope · x */
export class LeakyReLU extends Module {
  constructor(readonly negative_slope = 0.01) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.leakyRelu(x, this.negative_slope);
  }
}

/** min(max(x, 0), 6) */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return F.relu6(x);
  }
}

/** 1 / (1 + exp(−x)) */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return F.sigmoid(x);
  }
}

/** The hyperbolic tangent of every element. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return F.tanh(x);
  }
}

/** exp(x) / Σ exp(x) along `dim`. */
export class Softmax extends Module {
  constructor(readonly dim = -1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.softmax(x, this.dim);
  }
}

/** x − log Σ exp(x) along `dim`. */
export class LogSoftmax extends Module {
  constructor(readonly dim = -1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.logSoftmax(x, this.dim);
  }
}

/** The greatest number of each window of images `[N, C, H, W]`: `new MaxPool2d(3, { stride: 2, padding: 1 })`. */
export class MaxPool2d extends Module {
  constructor(readonly kernel_size: Pair, readonly options: F.MaxPoolOptions = {}) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.maxPool2d(x, this.kernel_size, this.options);
  }
}

/** The mean of each window of images `[N, C, H, W]`. */
export class AvgPool2d extends Module {
  constructor(readonly kernel_size: Pair, readonly options: F.AvgPoolOptions = {}) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.avgPool2d(x, this.kernel_size, this.options);
  }
}

/** Pools images of any size into `output_size` cells, each the mean of its share: 1 gives `[N, C, 1, 1]`. */
export class AdaptiveAvgPool2d extends Module {
  constructor(readonly output_size: Pair) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.output_size);
  }
}

/** x / (k + alpha / size · Σ x²)^beta, the sum over `size` neighbouring channels (Krizhevsky et al. 2012). */
export class LocalResponseNorm extends Module {
  constructor(readonly size: number, readonly options: F.LocalResponseNormOptions = {}) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.localResponseNorm(x, this.size, this.options);
  }
}

/** Zeroes elements with probability p in training, and scales the rest by 1 / (1 − p); else passes all on. */
export class Dropout extends Module {
  constructor(public p = 0.5) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.dropout(x, this.p);
  }
}

/** `new Flatten()` makes `[N, C · H · W]` of `[N, C, H, W]`. */
export class Flatten extends Module {
  constructor(readonly start_dim = 1, readonly end_dim = -1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.flatten(x, this.start_dim, this.end_dim);
  }
}
