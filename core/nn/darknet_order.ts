/** The order in which Darknet keeps a network's numbers. */
import type { Shape } from "../shape.ts";
import { sizeOf } from "../shape.ts";
import { DARKNET_WEIGHTS } from "../format/darknet.ts";
import type { StateTensor } from "../format/state_dict.ts";
import { BatchNorm2d, Conv2d, Linear } from "./layers.ts";
import { type Module, namedModules } from "./module.ts";

/**
 * Names and shapes of a network's tensors in Darknet's order: of a convolution with batch norm the norm's bias, weight,
 * running mean and variance, then the convolution's weight; of other layers the bias, then the weight. Layers are in the
 * order in which they are properties.
 */
export function darknetOrder(model: Module): [name: string, shape: Shape][] {
  return layersOf(model).flat();
}

function layersOf(model: Module): [name: string, shape: Shape][][] {
  const layers = [...namedModules(model)].filter(([module]) =>
    module instanceof Conv2d || module instanceof BatchNorm2d || module instanceof Linear
  );
  return layers.map(([module, path], index) => {
    // A norm's numbers come with those of the convolution before it.
    if (!(module instanceof Conv2d || module instanceof Linear)) return [];
    const [norm, normPath] = layers[index + 1] ?? [];
    const before: [string, Shape][] = [];
    if (norm instanceof BatchNorm2d) {
      for (const name of ["bias", "weight", "running_mean", "running_var"] as const) {
        before.push([`${normPath}.${name}`, norm[name].shape]);
      }
    }
    if (module.bias) before.push([`${path}.bias`, module.bias.shape]);
    return [...before, [`${path}.weight`, module.weight.shape]];
  });
}

/** Cuts Darknet's numbers into a network's tensors, as far as they go; what is left over stays under one name. */
export function fromDarknet(model: Module, dict: ReadonlyMap<string, StateTensor>): Map<string, StateTensor> {
  const data = dict.get(DARKNET_WEIGHTS)!.data as Float32Array;
  const tensors = new Map<string, StateTensor>();
  let at = 0;
  for (const layer of layersOf(model)) {
    // What is left may be of another layer.
    if (at + layer.reduce((sum, [, shape]) => sum + sizeOf(shape), 0) > data.length) break;
    for (const [name, shape] of layer) {
      tensors.set(name, { shape, dtype: "F32", data: data.subarray(at, at += sizeOf(shape)) });
    }
  }
  if (at < data.length) {
    const rest = data.subarray(at);
    tensors.set("numbers that are left over", { shape: [rest.length], dtype: "F32", data: rest });
  }
  return tensors;
}
