/** Which of Keras's layers belongs to which of a network's. */
import type { Numbers } from "../format/dtype.ts";
import type { StateTensor } from "../format/state_dict.ts";
import { gather } from "../format/strided.ts";
import { BatchNorm1d, BatchNorm2d, Conv2d, Linear } from "./layers.ts";
import { type Module, namedModules } from "./module.ts";

type Kind = "convolution" | "norm" | "linear";
type Tensors = ReadonlyMap<string, StateTensor>;

/**
 * Puts Keras's tensors under the network's names: layers of the same name belong together; where most names
 * differ, the first convolution is the network's first one, and so on for each kind of layer. After a flattened image, columns come in
 * PyTorch's order.
 */
export function fromKeras(model: Module, dict: Tensors): Map<string, StateTensor> {
  const ours = layersOf(model);
  const theirs = Map.groupBy(dict, ([name]) => layerOf(name));
  const known = ours.filter(({ path }) => theirs.has(path)).length;
  const pathOf = 2 * known > ours.length ? (layer: string) => layer : inOrder(ours, theirs);
  const tensors = new Map<string, StateTensor>();
  for (const [layer, entries] of theirs) {
    const path = pathOf(layer);
    const channels = ours.find((our) => our.path === path)?.flattened;
    for (const [name, tensor] of entries) {
      const ending = name.slice(layer.length + 1);
      const moved = channels !== undefined && ending === "weight" ? channelsFirst(tensor, channels) : tensor;
      tensors.set(`${path}.${ending}`, moved);
    }
  }
  return tensors;
}

interface OurLayer {
  readonly path: string;
  readonly kind: Kind;
  /** Channels of the image that this linear layer sees as one row. */
  readonly flattened?: number;
}

function layersOf(model: Module): OurLayer[] {
  let channels: number | undefined;
  const layers: OurLayer[] = [];
  for (const [module, path] of namedModules(model)) {
    if (module instanceof Conv2d) {
      channels = module.weight.shape[0]!;
      layers.push({ path, kind: "convolution" });
    } else if (module instanceof BatchNorm2d || module instanceof BatchNorm1d) {
      layers.push({ path, kind: "norm" });
    } else if (module instanceof Linear) {
      const features = module.weight.shape[1]!;
      const isImage = channels !== undefined && features > channels && features % channels === 0;
      layers.push({ path, kind: "linear", ...isImage ? { flattened: channels! } : {} });
      channels = undefined;
    }
  }
  return layers;
}

function layerOf(name: string): string {
  return name.slice(0, name.lastIndexOf("."));
}

/** The n-th layer of a kind is the network's n-th; layers that the network lacks keep their names. */
function inOrder(
  ours: readonly OurLayer[],
  theirs: ReadonlyMap<string, readonly (readonly [string, StateTensor])[]>,
): (layer: string) => string {
  const paths = new Map<string, string>();
  const next = new Map<Kind, number>();
  for (const [layer, entries] of theirs) {
    const kind = kindOf(layer, entries);
    const index = next.get(kind) ?? 0;
    next.set(kind, index + 1);
    const our = ours.filter((candidate) => candidate.kind === kind)[index];
    if (our) paths.set(layer, our.path);
  }
  return (layer) => paths.get(layer) ?? layer;
}

function kindOf(layer: string, entries: readonly (readonly [string, StateTensor])[]): Kind {
  const tensors = new Map(entries);
  if (tensors.has(`${layer}.running_mean`)) return "norm";
  return tensors.get(`${layer}.weight`)?.shape.length === 4 ? "convolution" : "linear";
}

/** Columns from (pixel, channel) to (channel, pixel). */
function channelsFirst(tensor: StateTensor, channels: number): StateTensor {
  const [rows, columns] = tensor.shape;
  if (tensor.shape.length !== 2 || columns! % channels !== 0) return tensor;
  const pixels = columns! / channels;
  const data: Numbers = gather(tensor.data, [rows!, channels, pixels], [columns!, 1, channels]);
  return { ...tensor, data };
}
