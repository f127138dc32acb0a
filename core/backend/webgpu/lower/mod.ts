/** The lowering table: one entry an op. An op without one does not compile. */
import type { Node } from "../../../graph/graph.ts";
import type { OpName } from "../../../ops/mod.ts";
import { convLowerings } from "./conv.ts";
import { elementLowerings } from "./elements.ts";
import { imageLowerings } from "./image.ts";
import { layoutLowerings } from "./layout.ts";
import type { Lower, Lowering } from "./lowering.ts";
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

export function lowerNode(lower: Lower, node: Node): void {
  (lowerings[node.op] as Lowering<OpName>)(lower, node);
}
