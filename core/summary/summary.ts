/** What there is to say about a network without running it: a row for each module, and totals. */
import type { Graph, Node } from "../graph/graph.ts";
import { type Module, type ModuleCall, namedModules, namedParameters, traceCalls } from "../nn/mod.ts";
import { type AttrsOf, type OpName, opOf } from "../ops/mod.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { type ClassicRow, classicRows } from "./classic.ts";

/** A module, with all that is below it. A shared module has one row, at its first path. */
export interface Layer {
  /** Such as `layer1.0.conv2`; the network itself has the empty path. */
  readonly path: string;
  /** Its class. */
  readonly type: string;
  /** 0 for the network itself. */
  readonly depth: number;
  /** How often it runs for one input; 0 for a module that this mode has no use for. */
  readonly calls: number;
  /** Shapes of its first call. */
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
  /** Of a convolution or a pool. */
  readonly kernel?: readonly number[];
  readonly stride?: readonly number[];
  /** Parameters here and below, and how many of these training changes. */
  readonly parameters: number;
  readonly trainable: number;
  /** Multiply-accumulates of one image, over all calls. */
  readonly macs: number;
}

/** A network's totals, and what is in it. */
export interface Summary {
  /** Class of the network. */
  readonly type: string;
  readonly input: Shape;
  readonly output: Shape;
  /** All parameters, used or not, and how many of these training changes. */
  readonly parameters: number;
  readonly trainable: number;
  /** Multiply-accumulates of one image, of convolutions and linear layers. */
  readonly macs: number;
  /** Every module below the one that holds it, in the order in which they run. */
  readonly layers: readonly Layer[];
  /** The rows of torchsummary's table. */
  readonly classic: readonly ClassicRow[];
}

/** How the network is looked at. */
export interface SummaryOptions {
  /** Modules as they run in training: with auxiliary classifiers, for one. */
  readonly training?: boolean;
}

/**
 * Summarises a network on inputs of shape `[N, C, H, W]`. Throws `ShapeError` where shapes do not fit.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { Conv2d } from "../nn/mod.ts";
 *
 * const { output, parameters, macs } = summarise(new Conv2d(3, 8, 3, { padding: 1 }), [1, 3, 32, 32]);
 * assert.deepEqual(output, [1, 8, 32, 32]);
 * assert.equal(parameters, 8 * 3 * 3 * 3 + 8);
 * assert.equal(macs, 8 * 3 * 3 * 3 * 32 * 32);
 * ```
 */
export function summarise(model: Module, input: Shape, options: SummaryOptions = {}): Summary {
  const { graph, calls } = traceCalls(model, input, { training: options.training ?? false });
  const layers = layersOf(model, graph, calls, input[0] ?? 1);
  const { parameters, trainable, macs } = layers[0]!;
  return {
    type: model.constructor.name,
    input,
    output: graph.outputs.get("y")!.shape,
    parameters,
    trainable,
    macs,
    layers,
    classic: classicRows(model, calls),
  };
}

function layersOf(model: Module, graph: Graph, calls: readonly ModuleCall[], batch: number): Layer[] {
  const callsOf = Map.groupBy(calls, ({ module }) => module);
  const firstCall = new Map([...callsOf].map(([module, [call]]) => [module, calls.indexOf(call!)]));
  const counts = parameterCounts(model);
  const costs = graph.nodes.map(macsOf);

  const row = (module: Module, path: string, isLeaf: boolean): Layer => {
    const own = callsOf.get(module) ?? [];
    const macs = own.reduce((sum, { start, end }) => sum + total(costs.slice(start, end)), 0);
    return {
      path,
      type: module.constructor.name,
      depth: depthOf(path),
      calls: own.length,
      inputs: own[0]?.inputs ?? [],
      outputs: own[0]?.outputs ?? [],
      ...(isLeaf && own[0] ? windowOf(graph.nodes.slice(own[0].start, own[0].end)) : {}),
      ...counts.get(path) ?? { parameters: 0, trainable: 0 },
      macs: macs / batch,
    };
  };

  const modules = [...namedModules(model)];
  const children = Map.groupBy(modules.filter(([, path]) => path !== ""), ([, path]) => parentOf(path));
  const order = ([module]: readonly [Module, string]) => firstCall.get(module) ?? Infinity;
  const visit = ([module, path]: readonly [Module, string]): Layer[] => {
    const below = [...children.get(path) ?? []].sort((a, b) =>
      order(a) === order(b) ? 0 : order(a) - order(b)
    );
    return [row(module, path, below.length === 0), ...below.flatMap(visit)];
  };
  return visit(modules[0]!);
}

/** Parameters of every path, with those below it. */
function parameterCounts(model: Module): Map<string, { parameters: number; trainable: number }> {
  const counts = new Map<string, { parameters: number; trainable: number }>();
  for (const [name, { shape, requires_grad }] of namedParameters(model)) {
    for (let path = name; path !== "";) {
      path = parentOf(path);
      const { parameters, trainable } = counts.get(path) ?? { parameters: 0, trainable: 0 };
      const size = sizeOf(shape);
      counts.set(path, { parameters: parameters + size, trainable: trainable + (requires_grad ? size : 0) });
    }
  }
  return counts;
}

function macsOf<K extends OpName>({ op, inputs, outputs, attrs }: Node<K>): number {
  return opOf(op).macs?.(inputs, outputs, attrs as AttrsOf<K>) ?? 0;
}

/** Kernel and stride of a leaf, from its first op that has them. */
function windowOf(
  nodes: readonly Node[],
): { kernel: readonly number[]; stride: readonly number[] } | undefined {
  for (const node of nodes) {
    const window = windowOfNode(node);
    if (window) return window;
  }
  return undefined;
}

/** Kernel and stride of a convolution or a pool. */
export function windowOfNode(
  node: Node,
): { kernel: readonly number[]; stride: readonly number[] } | undefined {
  if (node.op === "conv2d") {
    const { stride } = node.attrs as AttrsOf<"conv2d">;
    return { kernel: node.inputs[1]!.shape.slice(2), stride };
  }
  if (node.op === "max_pool2d" || node.op === "avg_pool2d") {
    const { kernel, stride } = node.attrs as AttrsOf<"avg_pool2d">;
    return { kernel, stride };
  }
  return undefined;
}

/** `layer1.0` of `layer1.0.conv1` */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(".")));
}

export function depthOf(path: string): number {
  return path === "" ? 0 : path.split(".").length;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
