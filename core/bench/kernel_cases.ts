/** What `bench kernels` measures: single ops, as they occur in the networks' own graphs. */
import { GraphBuilder } from "../graph/builder.ts";
import { f32, type Graph, type Node } from "../graph/graph.ts";

import { type Convolution, convolutionOf, type Direction } from "./convolution.ts";
import { macsOf, trafficOf } from "./cost.ts";
import { kindOf } from "./profile.ts";

/** One op to time. */
export interface KernelCase {
  /** `gemm/1536x1536x1536`, `resnet50/layer1.0.conv2/forward`, `memory/relu` */
  readonly name: string;
  readonly node: Node;
  /** A node that makes what no made-up number can stand for, such as the places of a pool. */
  readonly before: Node | undefined;
}

/** Matrix products of M × N × K as a linear layer of M images. */
export function gemmCases(sizes: readonly (readonly [m: number, n: number, k: number])[]): KernelCase[] {
  return sizes.map(([m, n, k]) => {
    const builder = new GraphBuilder();
    builder.emit("linear", [builder.input("x", f32([m, k])), builder.input("weight", f32([n, k]))], {});
    return { name: `gemm/${m}x${n}x${k}`, node: builder.nodes[0]!, before: undefined };
  });
}

/** A convolution's shape in a network, with one case for each direction that a step takes. */
export interface ConvolutionShape {
  readonly convolution: Convolution;
  /** The first layer that has it. */
  readonly layer: string;
  /** How many layers have it. */
  readonly count: number;
  readonly cases: Readonly<Partial<Record<Direction, KernelCase>>>;
}

/** Every distinct shape of a step's convolutions and linear layers, in the order of the network. */
export function convolutionShapes(network: string, { nodes }: Graph): ConvolutionShape[] {
  const shapes = new Map<string, { -readonly [K in keyof ConvolutionShape]: ConvolutionShape[K] }>();
  for (const node of nodes) {
    const convolution = convolutionOf(node);
    if (!convolution) continue;
    const { direction, ...shape } = convolution;
    const key = JSON.stringify(shape);
    const known = shapes.get(key) ?? { convolution, layer: node.scope, count: 0, cases: {} };
    shapes.set(key, known);
    if (direction === "forward") known.count++;
    if (known.cases[direction]) continue;
    const name = `${network}/${known.layer}/${direction.replaceAll(" ", "-")}`;
    known.cases = { ...known.cases, [direction]: { name, node, before: undefined } };
  }
  return [...shapes.values()];
}

/** Less would be measured in a cache, and tell nothing of memory; more takes too long to fill with numbers. */
const LEAST_BYTES = 2 ** 22, MOST_BYTES = 2 ** 30;

/** Of each kind of op without arithmetic worth counting, the node that moves most. */
export function memoryCases(programs: readonly (readonly Node[])[]): KernelCase[] {
  const largest = new Map<string, { node: Node; bytes: number; nodes: readonly Node[] }>();
  for (const nodes of programs) {
    for (const node of nodes) {
      const bytes = trafficOf(node);
      if (macsOf(node) > 0 || bytes < LEAST_BYTES || bytes > MOST_BYTES) continue;
      const kind = kindOf(node);
      if (bytes > (largest.get(kind)?.bytes ?? 0)) largest.set(kind, { node, bytes, nodes });
    }
  }
  return [...largest].sort(([, a], [, b]) => b.bytes - a.bytes).map(([kind, { node, nodes }]) => ({
    name: `memory/${kind.replaceAll(" ", "")}`,
    node,
    before: nodes.find(({ outputs }) =>
      outputs.some((value) => value.dtype !== "f32" && node.inputs.includes(value))
    ),
  }));
}
