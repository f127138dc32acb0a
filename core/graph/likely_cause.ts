/** Guesses why two shapes do not fit, from the ops that made them. */
import type { Node, Value } from "./graph.ts";

/** How far back a mistake is looked for: the length of a residual block. */
const REACH = 12;

/** One sentence without its full stop, or "" where nothing stands out. */
export function likelyCause(nodes: readonly Node[], inputs: readonly Value[]): string {
  const [a, b] = inputs;
  if (!a || !b || a.shape.length !== 4 || b.shape.length !== 4) return "";
  const producers = new Map<Value, Node>();
  for (const node of nodes) for (const output of node.outputs) producers.set(output, node);
  if (a.shape[2] !== b.shape[2] || a.shape[3] !== b.shape[3]) {
    for (const node of [...ancestors(producers, a), ...ancestors(producers, b)]) {
      const reason = resizes(node);
      if (reason) return `${node.scope || "an op"} ${reason}`;
    }
    return "";
  }
  if (a.shape[1] !== b.shape[1]) {
    return `one side changes the channels from ${a.shape[1]} to ${b.shape[1]} and the other does not: ` +
      `the shortcut needs a 1×1 projection`;
  }
  return "";
}

function ancestors(producers: ReadonlyMap<Value, Node>, from: Value): Node[] {
  const found: Node[] = [];
  let value: Value | undefined = from;
  while (value && found.length < REACH) {
    const node: Node | undefined = producers.get(value);
    if (node) found.push(node);
    value = node?.inputs[0];
  }
  return found;
}

/** Why a convolution changes the image's size in a way that is seldom meant, or "". */
function resizes(node: Node): string {
  if (node.op !== "conv2d") return "";
  const { padding, stride, dilation } = (node as Node<"conv2d">).attrs;
  const [, , height, width] = node.inputs[1]?.shape ?? [];
  if (height === undefined || width === undefined) return "";
  const size = `${height}×${width}`;
  const grown = padding[0] + padding[2] - dilation[0] * (height - 1);
  if (grown > 0) {
    const right = (dilation[0] * (height - 1)) / 2;
    return `is a ${size} convolution with padding ${padding[0]}, which makes the image ${grown} larger; ` +
      `padding ${right} would keep its size`;
  }
  if (stride[0] > 1) return `has stride ${stride[0]}, and the other side keeps the image's size`;
  if (grown < 0) {
    return `is a ${size} convolution with padding ${padding[0]}, which makes the image ${-grown} smaller`;
  }
  return "";
}
