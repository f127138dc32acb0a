/** What a lowering has at hand: it turns one node into kernels. */
import type { Node } from "../../../graph/graph.ts";
import type { OpName } from "../../../ops/mod.ts";
import type { Collector } from "../../../program/lower.ts";
import type { Dispatch } from "../memory.ts";

export type Lower = Collector<Dispatch>;

export type Lowering<K extends OpName> = (lower: Lower, node: Node<K>) => void;
