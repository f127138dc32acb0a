/** What a lowering has at hand: it turns one node into kernels. */
import type { Node } from "../../../graph/graph.ts";
import type { OpName } from "../../../ops/mod.ts";
import type { Collector } from "../../../program/lower.ts";
import type { Many } from "../many.ts";
import type { Dispatch } from "../memory.ts";
import type { Subgroups } from "../wgsl/reduce.ts";
import type { Cut, Extents } from "./cut.ts";

/** Where a lowering puts what it makes. */
export interface Collect extends Collector<Dispatch> {
  /** Bytes of the largest binding: what is larger has several. */
  readonly binding: number;
  /** Adds dispatches on many tensors at once: as few as memory allows. */
  addMany(many: Many): void;
}

/** What kernels depend on, beside shapes. */
export interface Abilities {
  /** Bytes of memory that a workgroup may have. */
  readonly workgroupBytes: number;
  readonly subgroups: Subgroups;
  /** Whether images between layers are float16 in memory. */
  readonly half: boolean;
  /** Whether convolutions are plain sums, never Winograd's. */
  readonly exact: boolean;
}

export interface Lower extends Collect, Abilities {
  /** The way to compute the node that was measured to be fastest; undefined where nothing was. */
  readonly choice: string | undefined;
  /** How a product of the node is cut. */
  cut(extents: Extents): Cut;
  /** Defines `sum_of` and `greatest_of`: wgsl/reduce.ts. */
  readonly reduceLanes: string;
}

export type Lowering<K extends OpName> = (lower: Lower, node: Node<K>) => void;
