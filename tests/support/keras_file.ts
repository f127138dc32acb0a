/** A file of weights as Keras 2 writes it: `model.save("x.h5")`, without what is not weights. */
import type { Group } from "h5wasm";

export interface KerasVariable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * A group for each layer, in the order in which `layer_names` has them; within it `LAYER/NAME:0`, or `NAME:0` where the name
 * has a layer of its own, as in a network within a network.
 */
export async function kerasFile(
  layers: readonly (readonly [layer: string, variables: readonly KerasVariable[]])[],
): Promise<Uint8Array> {
  const { File, ready } = await import("h5wasm");
  const { FS } = await ready;
  const file = new File("written.h5", "w");
  const list = (group: Group, name: string, texts: readonly string[]) => {
    // Keras writes an empty list as one of floats.
    if (texts.length === 0) group.create_attribute(name, new Float64Array(), [0], "<d");
    else group.create_attribute(name, [...texts]);
  };
  const weights = file.create_group("model_weights");
  list(weights, "layer_names", layers.map(([layer]) => layer));
  for (const [layer, variables] of layers) {
    const group = weights.create_group(layer);
    const paths = variables.map(({ name }) => `${name.includes("/") ? name : `${layer}/${name}`}:0`);
    list(group, "weight_names", paths);
    variables.forEach(({ shape, data }, i) => {
      const [owner, name] = paths[i]!.split("/") as [string, string];
      const inner = group.keys().includes(owner) ? group.get(owner) as Group : group.create_group(owner);
      inner.create_dataset({ name, data, shape: [...shape], dtype: "<f" });
    });
  }
  file.close();
  const bytes = FS.readFile("written.h5") as Uint8Array;
  FS.unlink("written.h5");
  return bytes;
}
