/** What a lowering has at hand: it turns one node into kernels. */
import type { Node } from "../../../graph/graph.ts";
import type { OpName } from "../../../ops/mod.ts";
import type { Collector } from "../../../program/lower.ts";
import type { Many } from "../many.ts";
import type { Dispatch } from "../memory.ts";

export interface Lower extends Collector<Dispatch> {
  /** Bytes of the largest binding: what is larger has several. */
  readonly binding: number;
  /** Adds dispatches on many tensors at once: as few as memory allows. */
  addMany(many: Many): void;
}

export type Lowering<K extends OpName> = (lower: Lower, node: Node<K>) => void;
