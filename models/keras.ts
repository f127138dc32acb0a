/** What networks in Keras's manner have in common. */
import * as nn from "../core/nn/mod.ts";

/** Keras's defaults for batch norm. Its momentum 0.99 keeps what PyTorch's 0.01 keeps. */
export const KERAS_BATCH_NORM = { momentum: 0.01, eps: 1e-3 };

/** Keras's initial values: weights as Glorot & Bengio 2010, biases zero. */
export function kerasInit(model: nn.Module): void {
  for (const module of nn.modules(model)) {
    if (!(module instanceof nn.Conv2d || module instanceof nn.Linear)) continue;
    module.weight.init = nn.xavierUniform(module.weight.shape);
    if (module.bias) module.bias.init = nn.constant(0);
  }
}
