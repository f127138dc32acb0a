/** Graph → program: collects the kernel calls of every node, with the backend's lowering table. */
import type { Graph, Node, Value } from "../graph/graph.ts";
import type { KernelCall, Program, Scratch, Word } from "./program.ts";

/** What a lowering can do for its node. */
export interface Collector {
  call(kernel: string, ...args: Word[]): void;
  scratch(bytes: number): Scratch;
  alias(output: Value, input: Value): void;
}

/** The kernel calls of all nodes, in order; `lowerNode` makes those of one. */
export function lowerGraph(graph: Graph, lowerNode: (collect: Collector, node: Node) => void): Program {
  const calls: KernelCall[] = [];
  const scratch = new Map<Node, Scratch[]>();
  const aliases = new Map<Value, Value>();
  let scratches = 0;
  for (const node of graph.nodes) {
    const own: Scratch[] = [];
    lowerNode({
      call: (kernel, ...args) => calls.push({ kernel, args, node }),
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
