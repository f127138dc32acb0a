/** Gradients of activations that follow a batch norm become part of the batch norm's gradient. */
import type { Graph, Node, Value } from "./graph.ts";
import { countUses, isNode, makersOf } from "./uses.ts";

/**
 * Where y = relu(batch_norm(x)): `batch_norm_grad(relu_grad(dy, y), x, …)` → `batch_norm_grad(dy, x, …, bias)` with the
 * attribute `activation`: it computes batch_norm(x) again, from what it reads anyway, to know where ReLU lets the gradient
 * through. The same for leaky ReLU and ReLU6.
 */
export function fuseNormGradients(graph: Graph): Graph {
  const makers = makersOf(graph), uses = countUses(graph);
  const gone = new Set<Node>();
  const nodes = graph.nodes.map((node): Node => {
    if (!isNode(node, "batch_norm_grad") || node.attrs.activation) return node;
    const [dy, x, weight, mean, invstd] = node.inputs as [Value, Value, Value, Value, Value];
    const norm = makers.get(mean), through = makers.get(dy);
    if (!isNode(through, "relu_grad", "leaky_relu_grad", "relu6_grad") || uses.get(dy) !== 1) return node;
    if (!isNode(norm, "batch_norm") || norm.inputs[0] !== x || norm.inputs[1] !== weight) return node;
    const [arriving, saved] = through.inputs as [Value, Value];
    const op = forwardOf(through.op), behind = makers.get(saved);
    // Saved is what the batch norm gave, or what the activation made of it.
    const followed = saved === norm.outputs[0] || behind?.op === op && behind.inputs[0] === norm.outputs[0];
    if (!followed) return node;
    gone.add(through);
    return {
      ...node,
      inputs: [arriving, x, weight, mean, invstd, norm.inputs[2]!],
      attrs: { ...node.attrs, activation: { op, ...through.attrs } },
    };
  });
  return { ...graph, nodes: nodes.filter((node) => !gone.has(node)) };
}

function forwardOf(op: "relu_grad" | "leaky_relu_grad" | "relu6_grad") {
  return ({ relu_grad: "relu", leaky_relu_grad: "leaky_relu", relu6_grad: "relu6" } as const)[op];
}
