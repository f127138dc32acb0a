/** From a loss to new weights: gradients, what is done with them, the optimiser, moving averages. */
import type { GraphBuilder } from "../graph/builder.ts";
import { gradient } from "../graph/gradient.ts";
import { f32, type Value } from "../graph/graph.ts";
import { type Module, namedParameters, type Parameter, stateDict } from "../nn/module.ts";
import {
  emitUpdate,
  type Gate,
  type OptimizerOptions,
  optimizerStateName,
  type ParameterRule,
  type Trained,
} from "../optim/optimizer.ts";
import { opOf } from "../ops/mod.ts";
import { sizeOf } from "../shape.ts";

export interface StepOptions {
  readonly optimizer: OptimizerOptions;
  /** How a parameter is trained, where not as all others. */
  readonly rules?: (name: string, parameter: Parameter) => ParameterRule;
  /** The most that the norm of all gradients together may be; 0 for no limit. */
  readonly clip_grad?: number;
  /** Batches whose gradients make one update. */
  readonly accumulate?: number;
  /** Bytes of gradients that are worth an update of their own; by default what stays in the caches of a CPU. */
  readonly update_bytes?: number;
  /** Whether moving averages of all that training changes are kept. */
  readonly ema?: boolean;
}

/** Name of the moving average of a state. */
export function averageName(state: string): string {
  return `ema.${state}`;
}

/** Bytes of gradients after which they are used, so that they are still in the caches. */
const CACHED_BYTES = 2 ** 20;

/** Name of the state that is 1 once a step has failed: from then on nothing changes, see op latch. */
export const FAILED = "run.failed";

/**
 * Appends the loss's gradients and the optimiser's step. Returns what it trains, with the gradients. Parameters are
 * updated as soon as there are enough gradients, which are then still in the caches and free their memory early; unless
 * gradients are clipped, since nothing can be updated before the norm of all of them is known. A step whose loss or norm is
 * not finite changes nothing, and neither do those after it: they may have been begun before anybody read that loss.
 * Inputs: `hyper`, `factor` (1, or NaN where gradients are only gathered), `keep` where they are gathered (0 to begin
 * anew, else 1), `ema_rate` where there are averages. Output `grad_norm` where gradients are clipped: before that.
 */
export function emitStep(
  builder: GraphBuilder,
  model: Module,
  loss: Value,
  options: StepOptions,
): readonly Trained[] {
  const { optimizer, rules = () => ({}), clip_grad = 0, accumulate = 1, ema = false } = options;
  const { update_bytes = CACHED_BYTES } = options;
  // A parameter that is frozen, that forward never uses, or that the loss does not depend on, is not trained.
  const parameters = new Map<Value, ParameterRule>();
  for (const [name, parameter] of namedParameters(model)) {
    const value = builder.states.get(name);
    if (value && parameter.requires_grad) parameters.set(value, rules(name, parameter));
  }
  const [seed] = builder.emit("fill", [], { shape: loss.shape, value: 1 / accumulate });
  const gate = { loss: emitLatch(builder, loss), factor: builder.input("factor", f32([])) };

  const trained: Trained[] = [];
  const ready: Trained[] = [];
  let waiting: Trained[] = [];
  const flush = () => {
    const gathered = accumulate > 1 ? emitAccumulate(builder, gate.loss, waiting) : waiting;
    waiting = [];
    if (clip_grad > 0) ready.push(...gathered);
    else if (gathered.length > 0) emitUpdate(builder, optimizer, gate, gathered);
  };
  gradient(builder, loss, seed!, [...parameters.keys()], (parameter, gradient) => {
    const one = { name: parameter.name, parameter, gradient, ...parameters.get(parameter) };
    trained.push(one);
    waiting.push(one);
    const elements = waiting.reduce((sum, { parameter }) => sum + sizeOf(parameter.shape), 0);
    if (4 * elements >= update_bytes) flush();
  });
  flush();
  const clipped = ready.length > 0 ? emitClipped(builder, options, gate, ready) : gate;
  if (ema) emitAverages(builder, model, clipped);
  return trained;
}

/** The number while it was always finite. */
function emitLatch(builder: GraphBuilder, x: Value): Value {
  return builder.emit("latch", [builder.state(FAILED, f32([])), x], {})[0]!;
}

/** Adds gradients to sums that are kept from batch to batch; these take the gradients' place. */
function emitAccumulate(builder: GraphBuilder, loss: Value, trained: readonly Trained[]): Trained[] {
  if (trained.length === 0) return [];
  const keep = builder.input("keep", f32([]));
  const sums = trained.map(({ name, parameter }) =>
    builder.state(optimizerStateName("gradient_sum", name), f32(parameter.shape))
  );
  builder.emit("accumulate", [keep, loss, ...trained.flatMap((one, i) => [sums[i]!, one.gradient])], {});
  return trained.map((one, i) => ({ ...one, gradient: sums[i]! }));
}

/** The optimiser's step with gradients cut down to the norm that is allowed. */
function emitClipped(
  builder: GraphBuilder,
  { optimizer, clip_grad = 0 }: StepOptions,
  { factor }: Gate,
  trained: readonly Trained[],
): Gate {
  const gradients = trained.map(({ gradient }) => gradient);
  const [share, norm] = builder.emit("clip_grad_norm", [factor, ...gradients], { max_norm: clip_grad });
  const clipped = { loss: emitLatch(builder, norm!), factor: share! };
  emitUpdate(builder, optimizer, clipped, trained);
  builder.output("grad_norm", norm!);
  return clipped;
}

/** Moving averages of all parameters and buffers that the graph so far changes. */
function emitAverages(builder: GraphBuilder, model: Module, { loss, factor }: Gate): void {
  const own = stateDict(model);
  const changed = new Set<Value>();
  for (const { op, inputs, attrs } of builder.nodes) {
    const written = opOf(op).mutates?.(inputs, attrs as never) ?? [];
    for (const index of written) if (own.has(inputs[index]!.name)) changed.add(inputs[index]!);
  }
  const pairs = [...changed].flatMap((value) => [
    builder.state(averageName(value.name), f32(value.shape)),
    value,
  ]);
  if (pairs.length > 0) builder.emit("ema", [builder.input("ema_rate", f32([])), loss, factor, ...pairs], {});
}
