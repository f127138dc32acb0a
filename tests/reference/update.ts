/** Optimisers' steps in float64 on one number, from their papers and PyTorch's documentation. */

/** A parameter and its state; every step function changes it. */
export interface Trained {
  p: number;
  /** Momentum buffer. */
  b: number;
  /** Means of the gradient and of its square. */
  m: number;
  v: number;
}

export interface Step {
  readonly lr: number;
  readonly decay: number;
  /** From 1. */
  readonly step: number;
}

export function sgd(
  state: Trained,
  gradient: number,
  { lr, decay, step }: Step,
  { momentum, dampening, nesterov }: { momentum: number; dampening: number; nesterov: boolean },
): void {
  const g = gradient + decay * state.p;
  if (momentum === 0) {
    state.p -= lr * g;
    return;
  }
  state.b = step === 1 ? g : momentum * state.b + (1 - dampening) * g;
  state.p -= lr * (nesterov ? g + momentum * state.b : state.b);
}

export function adam(
  state: Trained,
  gradient: number,
  { lr, decay, step }: Step,
  { beta1, beta2, eps, decoupled }: { beta1: number; beta2: number; eps: number; decoupled: boolean },
): void {
  if (decoupled) state.p *= 1 - lr * decay;
  const g = decoupled ? gradient : gradient + decay * state.p;
  state.m = beta1 * state.m + (1 - beta1) * g;
  state.v = beta2 * state.v + (1 - beta2) * g * g;
  const mean = state.m / (1 - beta1 ** step), square = state.v / (1 - beta2 ** step);
  state.p -= (lr * mean) / (Math.sqrt(square) + eps);
}

export function rmsprop(
  state: Trained,
  gradient: number,
  { lr, decay }: Step,
  { alpha, eps, momentum }: { alpha: number; eps: number; momentum: number },
): void {
  const g = gradient + decay * state.p;
  state.v = alpha * state.v + (1 - alpha) * g * g;
  const u = g / (Math.sqrt(state.v) + eps);
  state.b = momentum * state.b + u;
  state.p -= lr * (momentum === 0 ? u : state.b);
}
