/** Graph → program: collects the calls of every node, with the backend's lowering table. */
import type { Graph, Node, Value } from "../graph/graph.ts";
import type { Call, KernelCall, Program, Scratch } from "./program.ts";

/** What a lowering can do for its node. */
export interface Collector<C extends Call> {
  add(call: Omit<C, "node">): void;
  scratch(bytes: number): Scratch;
  alias(output: Value, input: Value): void;
}

/** The calls of all nodes, in order; `lowerNode` makes those of one. */
export function lowerGraph<C extends Call = KernelCall>(
  graph: Graph,
  lowerNode: (collect: Collector<C>, node: Node) => void,
): Program<C> {
  const calls: C[] = [];
  const scratch = new Map<Node, Scratch[]>();
  const aliases = new Map<Value, Value>();
  let scratches = 0;
  for (const node of graph.nodes) {
    const own: Scratch[] = [];
    lowerNode({
      add: (call) => calls.push({ ...call, node } as C),
      scratch: (bytes) => {
        const piece = { id: scratches++, bytes };
        own.push(piece);
        return piece;
      },
      alias: (output, input) => aliases.set(output, input),
    }, node);
    if (own.length > 0) scratch.set(node, own);
  }
  return { graph, calls, scratch, aliases };
}
