/** Batch normalisation and local response normalisation. */
import type { LocalResponseNormAttrs } from "../../../ops/norm.ts";
import { ownInputs } from "../../../ops/epilogue.ts";
import { sizeOf } from "../../../shape.ts";
import { float, groupsFor, reads, updates, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { numbersOf, propagate, type Width } from "../wgsl/formula.ts";
import { localResponseNorm, localResponseNormGrad } from "../wgsl/local_response_norm.ts";
import * as norm from "../wgsl/norm.ts";
import { blocksOf, columnGroups } from "./columns.ts";
import { epilogueOf } from "./epilogue.ts";
import type { Lowering } from "./lowering.ts";
import { widthFor } from "./width.ts";

const batch_norm: Lowering<"batch_norm"> = (lower, node) => {
  const { inputs, outputs: [y, mean, invstd], attrs } = node;
  const [x, weight, bias, runningMean, runningVariance] = inputs;
  const { rows, channels, block, blocks } = blocksOf(x!.shape);
  const width = widthFor(channels), each = numbersOf(width), fours = channels / each, { subgroups } = lower;
  const scale = lower.scratch(4 * channels);
  const made = (width: Width) => ({
    mean: writes(mean, width),
    invstd: writes(invstd, width),
    scale: writes(scale, width),
    weight: reads(weight, width),
  });
  const eps = float(attrs.eps);
  if (attrs.training) {
    const parts = lower.scratch(8 * blocks * channels);
    lower.add({
      kernel: "batch_norm_moments",
      code: norm.blockMoments(width, subgroups),
      buffers: { x: reads(x, width), parts: writes(parts, width) },
      numbers: { rows, channels: fours, block, blocks },
      groups: columnGroups(channels, blocks),
    });
    lower.add({
      kernel: "batch_norm_statistics",
      code: norm.statistics(width, subgroups),
      buffers: {
        ...made(width),
        parts: reads(parts, width),
        running_mean: updates(runningMean, width),
        running_variance: updates(runningVariance, width),
      },
      numbers: { rows, channels: fours, block, blocks, momentum: float(attrs.momentum), eps },
      groups: columnGroups(channels),
    });
  } else {
    lower.add({
      kernel: "batch_norm_running",
      code: norm.runningStatistics,
      buffers: { ...made("f32"), running_mean: reads(runningMean), running_variance: reads(runningVariance) },
      numbers: { count: channels, eps },
      groups: groupsFor(channels),
    });
  }
  const count = sizeOf(x!.shape) / each;
  const finish = epilogueOf(lower, node, width, norm.normalise.own);
  lower.add({
    kernel: "batch_norm_apply",
    code: elements(norm.normalise.formula, finish.code),
    buffers: {
      x: reads(x, width),
      y: writes(y, width),
      mean: reads(mean, width),
      scale: reads(scale, width),
      bias: reads(bias, width),
      ...finish.buffers,
    },
    numbers: { count, channels: fours, ...finish.numbers },
    groups: groupsFor(count),
  });
};

const batch_norm_grad: Lowering<"batch_norm_grad"> = (lower, node) => {
  const { outputs: [dx, dWeight, dBias], attrs } = node;
  const [dy, x, weight, mean, invstd, bias] = ownInputs(node.inputs, attrs);
  const { rows, channels, block, blocks } = blocksOf(x!.shape);
  const parts = lower.scratch(8 * blocks * channels), terms = lower.scratch(20 * channels);
  const width = widthFor(channels), each = numbersOf(width), fours = channels / each, { subgroups } = lower;
  const { activation } = attrs;
  const propagation = activation && propagate(activation.op, width, "n.slope");
  const slope = activation ? { slope: float(activation.negative_slope ?? 0) } : {};
  lower.add({
    kernel: "batch_norm_grad_sums",
    code: norm.gradientSums(propagation, width, subgroups),
    buffers: {
      dy: reads(dy, width),
      x: reads(x, width),
      mean: reads(mean, width),
      parts: writes(parts, width),
      ...(activation
        ? { weight: reads(weight, width), invstd: reads(invstd, width), bias: reads(bias, width) }
        : {}),
    },
    numbers: { rows, channels: fours, block, blocks, ...slope },
    groups: columnGroups(channels, blocks),
  });
  lower.add({
    kernel: "batch_norm_grad_terms",
    code: norm.gradientTerms(bias !== undefined, width, subgroups),
    buffers: {
      parts: reads(parts, width),
      weight: reads(weight, width),
      mean: reads(mean, width),
      invstd: reads(invstd, width),
      dweight: writes(dWeight, width),
      dbias: writes(dBias, width),
      terms: writes(terms, width),
      ...(bias ? { bias: reads(bias, width) } : {}),
    },
    numbers: { rows: blocks, channels: fours, block: blocks, share: float(attrs.training ? 1 / rows : 0) },
    groups: columnGroups(channels),
  });
  const count = sizeOf(x!.shape) / each;
  const finish = epilogueOf(lower, node, width);
  const { helpers, formula } = norm.gradientOf(width, propagation);
  lower.add({
    kernel: "batch_norm_grad_apply",
    code: elements(formula, finish.code + helpers),
    buffers: {
      dy: reads(dy, width),
      x: reads(x, width),
      y: writes(dx, width),
      terms: reads(terms, width),
      ...finish.buffers,
    },
    numbers: { count, channels: fours, ...slope, ...finish.numbers },
    groups: groupsFor(count),
  });
};

const constants = ({ size, alpha, beta, k }: LocalResponseNormAttrs) => ({
  size,
  factor: float(alpha / size),
  beta: float(beta),
  k: float(k),
});

const local_response_norm: Lowering<"local_response_norm"> = (
  lower,
  { inputs: [x], outputs: [y], attrs },
) => {
  const count = sizeOf(x!.shape), { helpers, formula } = localResponseNorm(attrs.beta);
  lower.add({
    kernel: "local_response_norm",
    code: elements(formula, helpers),
    buffers: { x: reads(x), y: writes(y) },
    numbers: { count, channels: x!.shape[1]!, ...constants(attrs) },
    groups: groupsFor(count),
  });
};

const local_response_norm_grad: Lowering<"local_response_norm_grad"> = (
  lower,
  { inputs: [dy, x], outputs: [dx], attrs },
) => {
  const count = sizeOf(x!.shape), { helpers, formula } = localResponseNormGrad(attrs.beta);
  lower.add({
    kernel: "local_response_norm_grad",
    code: elements(formula, helpers),
    buffers: { dy: reads(dy), x: reads(x), y: writes(dx) },
    numbers: { count, channels: x!.shape[1]!, ...constants(attrs) },
    groups: groupsFor(count),
  });
};

export const normLowerings = { batch_norm, batch_norm_grad, local_response_norm, local_response_norm_grad };
