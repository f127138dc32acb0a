/** Optimisers under PyTorch's names and with its defaults: what they keep, and the op that makes their step. */
import type { GraphBuilder } from "../graph/builder.ts";
import { f32, type Value } from "../graph/graph.ts";

/** An optimiser by PyTorch's name, with PyTorch's arguments and defaults. The learning rate comes from the schedule. */
export type OptimizerOptions =
  | {
    readonly name: "sgd";
    readonly momentum?: number;
    readonly dampening?: number;
    readonly nesterov?: boolean;
    readonly weight_decay?: number;
  }
  | {
    readonly name: "adam" | "adamw";
    readonly betas?: readonly [number, number];
    readonly eps?: number;
    readonly weight_decay?: number;
  }
  | {
    readonly name: "rmsprop";
    readonly alpha?: number;
    readonly eps?: number;
    readonly momentum?: number;
    readonly weight_decay?: number;
  };

export type OptimizerName = OptimizerOptions["name"];
export const optimizerNames: readonly OptimizerName[] = ["sgd", "adam", "adamw", "rmsprop"];

/** How one parameter is trained, where that differs from the optimiser's settings. */
export interface ParameterRule {
  /** Factor of the learning rate. */
  readonly lr_scale?: number;
  readonly weight_decay?: number;
}

/** A parameter and its gradient. */
export interface Trained extends ParameterRule {
  readonly name: string;
  readonly parameter: Value;
  readonly gradient: Value;
}

/** What decides whether a step is taken, and how large: see core/ops/update.ts. */
export interface Gate {
  readonly loss: Value;
  readonly factor: Value;
}

/** Numbers of the input `hyper` that changes with every step. */
const HYPER = 8;

/** States that the optimiser keeps for each parameter, as PyTorch names them. */
export function optimizerStates(options: OptimizerOptions): string[] {
  if (options.name === "sgd") return options.momentum ? ["momentum_buffer"] : [];
  if (options.name === "rmsprop") {
    return options.momentum ? ["square_avg", "momentum_buffer"] : ["square_avg"];
  }
  return ["exp_avg", "exp_avg_sq"];
}

/** Name of a state in a session and in checkpoints. */
export function optimizerStateName(state: string, parameter: string): string {
  return `optimizer.${state}.${parameter}`;
}

/**
 * Appends the step that updates all parameters, unless loss or factor is not finite; adds the input `hyper` and the
 * optimiser's states to the graph.
 */
export function emitUpdate(
  builder: GraphBuilder,
  options: OptimizerOptions,
  { loss, factor }: Gate,
  trained: readonly Trained[],
): void {
  const states = optimizerStates(options);
  const inputs = [
    builder.input("hyper", f32([HYPER])),
    loss,
    factor,
    ...trained.flatMap(({ name, parameter, gradient }) => [
      parameter,
      gradient,
      ...states.map((state) => builder.state(optimizerStateName(state, name), f32(parameter.shape))),
    ]),
  ];
  const shared = {
    weightDecay: trained.map(({ weight_decay }) =>
      weight_decay ?? options.weight_decay ?? defaultDecay(options.name)
    ),
    lrScale: trained.map(({ lr_scale }) => lr_scale ?? 1),
  };
  if (options.name === "sgd") {
    const { momentum = 0, dampening = 0, nesterov = false } = options;
    builder.emit("sgd", inputs, { ...shared, momentum, dampening, nesterov });
  } else if (options.name === "rmsprop") {
    const { alpha = 0.99, eps = 1e-8, momentum = 0 } = options;
    builder.emit("rmsprop", inputs, { ...shared, alpha, eps, momentum });
  } else {
    const { betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8 } = options;
    builder.emit("adam", inputs, { ...shared, beta1, beta2, eps, decoupled: options.name === "adamw" });
  }
}

/** What `hyper` must hold for step `step` (from 0) at learning rate `lr`. */
export function hyperOf(options: OptimizerOptions, step: number, lr: number): number[] {
  const hyper = new Array<number>(HYPER).fill(0);
  hyper[0] = lr;
  if (options.name === "sgd") hyper[1] = step === 0 ? 1 : 0;
  if (options.name === "adam" || options.name === "adamw") {
    const [beta1, beta2] = options.betas ?? [0.9, 0.999];
    hyper[1] = 1 - beta1 ** (step + 1);
    hyper[2] = 1 - beta2 ** (step + 1);
  }
  return hyper;
}

function defaultDecay(name: OptimizerName): number {
  return name === "adamw" ? 0.01 : 0;
}
