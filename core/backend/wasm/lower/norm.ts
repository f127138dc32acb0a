import type { LocalResponseNormAttrs } from "../../../ops/norm.ts";
import { ownInputs } from "../../../ops/epilogue.ts";
import type { Word } from "../../../program/program.ts";
import { type Shape, sizeOf } from "../../../shape.ts";
import { activationWords, epilogueOf } from "./epilogue.ts";
import { address, float, type Lower, type Lowering } from "./lowering.ts";

/** The kernels' view of an image or a matrix: rows × channels, and in how many rows at a time they take it. */
function rowsOf(shape: Shape) {
  const channels = shape[1]!;
  const rows = sizeOf(shape) / channels;
  // 64 KiB, to stay in the second-level cache; but never so few rows that the sums of all blocks weigh much beside the
  // image, nor so many that adding them in f32 costs precision. Threads have no say, since this decides the bits.
  const block = Math.min(256, Math.max(32, Math.floor(16384 / channels)));
  return { rows, channels, block, blocks: Math.ceil(rows / block) };
}

const floats = (lower: Lower, count: number): Word => ({ scratch: lower.scratch(4 * count) });

const batch_norm: Lowering<"batch_norm"> = (lower, node) => {
  const { inputs, outputs, attrs } = node;
  const [x, weight, bias, runningMean, runningVar] = inputs.map(address);
  const [y, mean, invstd] = outputs.map(address);
  const { rows, channels, block, blocks } = rowsOf(inputs[0]!.shape);
  const scale = floats(lower, channels);
  const eps = float(attrs.eps);
  if (attrs.training) {
    const sums = floats(lower, blocks * channels);
    const squares = floats(lower, blocks * channels);
    lower.call("batch_norm_moments", x!, sums, squares, rows, channels, block);
    // deno-fmt-ignore
    lower.call(
      "batch_norm_statistics", sums, squares, weight!, runningMean!, runningVar!, mean!, invstd!, scale,
      rows, channels, block, float(attrs.momentum), eps,
    );
  } else {
    // deno-fmt-ignore
    lower.call("batch_norm_running", weight!, runningMean!, runningVar!, mean!, invstd!, scale, channels, eps);
  }
  const epilogue = epilogueOf(lower, node, { mean: mean!, scale, shift: bias! });
  lower.call("batch_norm_apply", x!, y!, rows, channels, block, epilogue);
};

const batch_norm_grad: Lowering<"batch_norm_grad"> = (lower, node) => {
  const { inputs, outputs, attrs } = node;
  const [dy, x, weight, mean, invstd, bias = 0] = ownInputs(inputs, attrs).map(address);
  const [dx, dWeight, dBias] = outputs.map(address);
  const { rows, channels, block, blocks } = rowsOf(inputs[1]!.shape);
  const sums = floats(lower, blocks * channels);
  const products = floats(lower, blocks * channels);
  const scale = floats(lower, channels);
  const offset = floats(lower, channels);
  const incline = floats(lower, channels);
  const sizes = [rows, channels, block];
  const through = [bias, ...activationWords(attrs.activation)];
  const blockSums = [sums, products];
  lower.call("batch_norm_grad_sums", dy!, x!, mean!, weight!, invstd!, ...blockSums, ...sizes, ...through);
  // deno-fmt-ignore
  lower.call(
    "batch_norm_grad_combine", sums, products, weight!, invstd!, dWeight!, dBias!, scale, offset, incline,
    rows, channels, block, attrs.training ? 1 : 0,
  );
  const epilogue = epilogueOf(lower, node);
  // deno-fmt-ignore
  lower.call(
    "batch_norm_grad_apply", dy!, x!, dx!, mean!, scale, offset, incline, ...sizes, ...through, epilogue,
  );
};

/** Lines of memory for each thread; a line's length as in assembly/local_response_norm.ts. */
function lines(lower: Lower, lines: number, channels: number, size: number): Word {
  const length = 4 * Math.ceil(channels / 4) + 16 * Math.ceil(size / 16);
  return floats(lower, lower.threads * lines * length);
}

const constants = ({ size, alpha, beta, k }: LocalResponseNormAttrs): Word[] => [
  size,
  float(alpha / size),
  float(beta),
  float(k),
];

const local_response_norm: Lowering<"local_response_norm"> = (
  lower,
  { inputs: [x], outputs: [y], attrs },
) => {
  const { rows, channels, block } = rowsOf(x!.shape);
  const scratch = lines(lower, 2, channels, attrs.size);
  const sizes = [rows, channels, block];
  lower.call("local_response_norm", address(x), address(y), scratch, ...sizes, ...constants(attrs));
};

const local_response_norm_grad: Lowering<"local_response_norm_grad"> = (
  lower,
  { inputs: [dy, x], outputs: [dx], attrs },
) => {
  const { rows, channels, block } = rowsOf(x!.shape);
  const scratch = lines(lower, 3, channels, attrs.size);
  const buffers = [address(dy), address(x), address(dx), scratch];
  lower.call("local_response_norm_grad", ...buffers, rows, channels, block, ...constants(attrs));
};

export const normLowerings = { batch_norm, batch_norm_grad, local_response_norm, local_response_norm_grad };
