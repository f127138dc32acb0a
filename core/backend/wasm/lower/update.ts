import type { Value } from "../../../graph/graph.ts";
import type { UpdateAttrs } from "../../../ops/update.ts";
import type { Word } from "../../../program/program.ts";
import { sizeOf } from "../../../shape.ts";
import { address, addressOrNull, float, type Lowering } from "./lowering.ts";

/** Elements that a ticket stands for: enough to stream, few enough to share the largest parameter evenly. */
const GRAIN = 65536;

/** The arguments that all updates begin with; see assembly/update.ts. */
function segments(inputs: readonly Value[], states: number, { weightDecay, lrScale }: UpdateAttrs): Word[] {
  const [hyper, loss, ...rest] = inputs;
  const stride = 2 + states;
  const count = rest.length / stride;
  const table: Word[] = [];
  let tickets = 0;
  for (let i = 0; i < count; i++) {
    const [parameter, gradient, ...state] = rest.slice(i * stride, (i + 1) * stride);
    const elements = sizeOf(parameter!.shape);
    table.push(tickets, elements, float(weightDecay[i] ?? 0), float(lrScale[i] ?? 1));
    table.push(address(parameter), address(gradient), addressOrNull(state[0]), addressOrNull(state[1]));
    tickets += Math.ceil(elements / GRAIN);
  }
  return [address(hyper), address(loss), { table }, count, tickets, GRAIN];
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

export const updateLowerings = { sgd, adam, rmsprop };
