import type { Value } from "../../../graph/graph.ts";
import type { UpdateAttrs } from "../../../ops/update.ts";
import type { Word } from "../../../program/program.ts";
import { sizeOf } from "../../../shape.ts";
import { address, addressOrNull, float, type Lowering } from "./lowering.ts";

/** Elements that a ticket stands for: enough to stream, few enough to share the largest parameter evenly. */
const GRAIN = 65536;

/** Attributes of tables whose kernels look at no decay and no rate. */
const PLAIN: UpdateAttrs = { weightDecay: [], lrScale: [] };

/** The table of segments for groups of `stride` values, and how many segments and tickets there are. */
function tableOf(
  values: readonly Value[],
  stride: number,
  { weightDecay, lrScale }: UpdateAttrs,
): { table: Word; count: number; tickets: number } {
  const count = values.length / stride;
  const table: Word[] = [];
  let tickets = 0;
  for (let i = 0; i < count; i++) {
    const [parameter, gradient, ...state] = values.slice(i * stride, (i + 1) * stride);
    const elements = sizeOf(parameter!.shape);
    table.push(tickets, elements, float(weightDecay[i] ?? 0), float(lrScale[i] ?? 1));
    table.push(address(parameter), addressOrNull(gradient), addressOrNull(state[0]), addressOrNull(state[1]));
    tickets += Math.ceil(elements / GRAIN);
  }
  return { table: { table }, count, tickets };
}

/** The arguments that all updates begin with; see assembly/update.ts. */
function segments(inputs: readonly Value[], states: number, attrs: UpdateAttrs): Word[] {
  const [hyper, loss, factor, ...values] = inputs;
  const { table, count, tickets } = tableOf(values, 2 + states, attrs);
  return [address(hyper), address(loss), table, count, tickets, GRAIN, address(factor)];
}

const sgd: Lowering<"sgd"> = (lower, { inputs, attrs }) => {
  const { momentum, dampening, nesterov } = attrs;
  if (momentum === 0) {
    lower.call("sgd", ...segments(inputs, 0, attrs));
    return;
  }
  const shared = segments(inputs, 1, attrs);
  lower.call("sgd_momentum", ...shared, float(momentum), float(1 - dampening), nesterov ? 1 : 0);
};

const adam: Lowering<"adam"> = (lower, { inputs, attrs }) => {
  const { beta1, beta2, eps, decoupled } = attrs;
  lower.call(
    "adam",
    ...segments(inputs, 2, attrs),
    float(beta1),
    float(1 - beta1),
    float(beta2),
    float(1 - beta2),
    float(eps),
    decoupled ? 1 : 0,
  );
};

const rmsprop: Lowering<"rmsprop"> = (lower, { inputs, attrs }) => {
  const { alpha, eps, momentum } = attrs;
  const shared = segments(inputs, momentum === 0 ? 1 : 2, attrs);
  lower.call("rmsprop", ...shared, float(alpha), float(1 - alpha), float(eps), float(momentum));
};

const accumulate: Lowering<"accumulate"> = (lower, { inputs: [keep, loss, ...sums] }) => {
  // Nothing multiplies what is gathered: the loss, which has to be finite, stands in for the factor.
  lower.call("accumulate", ...segments([keep!, loss!, loss!, ...sums], 0, PLAIN));
};

const ema: Lowering<"ema"> = (lower, { inputs }) => {
  lower.call("ema", ...segments(inputs, 0, PLAIN));
};

const clip_grad_norm: Lowering<"clip_grad_norm"> = (lower, { inputs, outputs, attrs }) => {
  const [factor, ...gradients] = inputs, [clipped, norm] = outputs;
  const { table, count, tickets } = tableOf(gradients, 1, PLAIN);
  const partials = { scratch: lower.scratch(8 * Math.max(tickets, 1)) };
  lower.call("square_sums", table, count, tickets, GRAIN, partials);
  lower.call(
    "clip_factor",
    partials,
    tickets,
    address(factor),
    float(attrs.max_norm),
    address(clipped),
    address(norm),
  );
};

const latch: Lowering<"latch"> = (lower, { inputs: [failed, x], outputs: [y] }) => {
  lower.call("latch", address(failed), address(x), address(y));
};

export const updateLowerings = { sgd, adam, rmsprop, accumulate, ema, clip_grad_norm, latch };
