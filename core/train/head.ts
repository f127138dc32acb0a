/** A network's head: what makes as many scores as there are classes. And the network without it, frozen. */
import { UserError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { BatchNorm1d, BatchNorm2d } from "../nn/layers.ts";
import { type Module, modules, namedParameters, stateDict } from "../nn/module.ts";
import { sameShape } from "../shape.ts";

/**
 * Names of the tensors that would have another shape if there were another number of classes: of the last layer, and of
 * those that end a network's auxiliary classifiers. `create` makes the network for a number of classes.
 */
export function headOf(create: (num_classes: number) => Module, num_classes: number): Set<string> {
  const other = stateDict(create(num_classes + 1));
  const names = [...stateDict(create(num_classes))].filter(([name, { shape }]) => {
    const counterpart = other.get(name);
    return !counterpart || !sameShape(shape, counterpart.shape);
  });
  return new Set(names.map(([name]) => name));
}

/**
 * Freezes the parameters that `isFrozen` names: training leaves them as they are. A batch norm whose weight is frozen
 * runs by its running statistics, in training too, and leaves them as they are: those of a few new images would spoil
 * what the frozen layers around it have learnt to expect. A norm that was frozen before stays so.
 */
export function freeze(model: Module, isFrozen: (name: string) => boolean): void {
  for (const [name, parameter] of namedParameters(model)) {
    if (isFrozen(name)) parameter.requires_grad = false;
  }
  for (const module of modules(model)) {
    if (module instanceof BatchNorm1d || module instanceof BatchNorm2d) {
      if (!module.weight.requires_grad) module.frozen = true;
    }
  }
}

/** Whether a tensor belongs to one of the layers; throws where a layer has no parameters or does not exist. */
export function belongsTo(model: Module, layers: readonly string[]): (name: string) => boolean {
  const names = [...namedParameters(model).keys()];
  const belongs = (name: string, layer: string) => name === layer || name.startsWith(`${layer}.`);
  for (const layer of layers) {
    if (names.some((name) => belongs(name, layer))) continue;
    const known = names.flatMap((name) => {
      const parts = name.split(".");
      return parts.map((_, i) => parts.slice(0, i + 1).join("."));
    });
    throw new UserError(
      `there is no layer ${layer} with parameters; did you mean ${nearest(layer, [...new Set(known)])}?`,
    );
  }
  return (name) => layers.some((layer) => belongs(name, layer));
}
