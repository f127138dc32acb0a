/** The lowering table: one entry an op. An op without one does not compile. */
import type { Node } from "../../../graph/graph.ts";
import type { OpName } from "../../../ops/mod.ts";
import { type Choices, nameOf } from "../../tuning.ts";
import { convLowerings } from "./conv.ts";
import { reduceLanes } from "../wgsl/reduce.ts";
import { cutBy, cutsFor, type Extents, nameOfCut } from "./cut.ts";
import { elementLowerings } from "./elements.ts";
import { imageLowerings } from "./image.ts";
import { layoutLowerings } from "./layout.ts";
import type { Abilities, Collect, Lower, Lowering } from "./lowering.ts";
import { normLowerings } from "./norm.ts";
import { poolLowerings } from "./pool.ts";
import { randomLowerings } from "./random.ts";
import { rowLowerings } from "./rows.ts";
import { updateLowerings } from "./update.ts";
import { yoloLossLowerings } from "./yolo_loss.ts";

const lowerings: { readonly [K in OpName]: Lowering<K> } = {
  ...convLowerings,
  ...normLowerings,
  ...elementLowerings,
  ...poolLowerings,
  ...layoutLowerings,
  ...rowLowerings,
  ...randomLowerings,
  ...updateLowerings,
  ...imageLowerings,
  ...yoloLossLowerings,
};

/** Lowers a node; its products are cut by the node's own choice among `choices`, or else by shape. */
export function lowerWith(abilities: Abilities, choices: Choices = new Map()) {
  const reduce = reduceLanes(abilities.subgroups);
  return (collect: Collect, node: Node): void => {
    const choice = choices.get(nameOf(node));
    const lower: Lower = { ...collect, ...abilities, reduceLanes: reduce, choice, cut: cutBy(choice) };
    (lowerings[node.op] as Lowering<OpName>)(lower, node);
  };
}

/** The products that a node comes to, by tiles. */
export function productsOf(node: Node, abilities: Abilities): Extents[] {
  const found: Extents[] = [];
  const lower: Lower = {
    add() {},
    addMany() {},
    scratch: (bytes) => ({ id: 0, bytes }),
    alias() {},
    binding: Number.MAX_SAFE_INTEGER,
    ...abilities,
    exact: true,
    reduceLanes: "",
    choice: nameOfCut({ tile: "32x32", slices: 1 }),
    cut(extents) {
      found.push(extents);
      return cutsFor(extents)[0]!;
    },
  };
  (lowerings[node.op] as Lowering<OpName>)(lower, node);
  return found;
}
