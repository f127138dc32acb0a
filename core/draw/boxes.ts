/**
 * A network as boxes and arrows. An op and what follows it alone (batch norm, activation, flatten) share a box; modules
 * deeper than `depth` are one box each.
 */
import type { Graph, Node, Value } from "../graph/graph.ts";
import { type Module, type ModuleCall, namedModules, traceCalls } from "../nn/mod.ts";
import type { AttrsOf, OpName } from "../ops/mod.ts";
import type { Shape } from "../shape.ts";
import { short, times } from "../summary/format.ts";
import { depthOf, parentOf, summarise, windowOfNode } from "../summary/summary.ts";

export type BoxKind = "input" | "conv" | "linear" | "pool" | "join" | "module" | "other" | "output";

export interface Box {
  readonly kind: BoxKind;
  readonly title: string;
  /** What else happens in it, such as `BatchNorm · ReLU`. */
  readonly more: string;
  /** Of its result, without the batch. */
  readonly shape: string;
  /** Path of the module that it stands for, or of the one that its first op is from. */
  readonly path: string;
  /** Path of the composite module that it stands in. */
  readonly group: string;
}

export interface Arrow {
  readonly from: Box;
  readonly to: Box;
}

export interface Diagram {
  /** In the order in which they run. */
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

export interface BoxOptions {
  /** Composite modules at this depth are drawn as one box; by default none are. */
  readonly depth?: number | undefined;
  readonly training?: boolean;
}

/** Ops that may end a box that another op began. */
const FOLLOWERS: ReadonlySet<OpName> = new Set<OpName>([
  ...["batch_norm", "relu", "leaky_relu", "relu6", "sigmoid", "tanh", "softmax", "log_softmax"] as const,
  ...["dropout", "reshape", "flatten_channels_last", "local_response_norm", "scale"] as const,
]);

export function boxesOf(model: Module, input: Shape, options: BoxOptions = {}): Diagram {
  const { depth = Infinity, training = false } = options;
  const { graph, calls } = traceCalls(model, input, { training });
  const parts = partsOf(model, graph, calls, depth);
  const about = new Map(summarise(model, input, { training }).layers.map((layer) => [layer.path, layer]));

  const first: Box = {
    kind: "input",
    title: "Input",
    more: "",
    shape: times(input.slice(1)),
    path: "",
    group: "",
  };
  const boxes = [first];
  const maker = new Map<Value, Box>([[graph.inputs.get("x")!, first]]);
  const arrows: Arrow[] = [];
  const connect = (values: readonly Value[], to: Box) => {
    const sources = new Set(values.flatMap((value) => maker.get(value) ?? []));
    for (const from of sources) if (from !== to) arrows.push({ from, to });
  };
  for (const { nodes, module, group } of parts) {
    const layer = module === undefined ? undefined : about.get(module);
    const shape = times(nodes.at(-1)!.outputs[0]!.shape.slice(1));
    const [head, ...rest] = nodes.map(nameOf);
    const box: Box = layer
      ? {
        kind: "module",
        title: layer.type === "Sequential" ? layer.path.slice(layer.path.lastIndexOf(".") + 1) : layer.type,
        more: `${short(layer.parameters)} parameters`,
        shape,
        path: module!,
        group,
      }
      : { ...head!, more: rest.map(({ title }) => title).join(" · "), shape, path: nodes[0]!.scope, group };
    boxes.push(box);
    connect(nodes.flatMap(({ inputs }) => inputs), box);
    for (const value of nodes.flatMap(({ outputs }) => outputs)) maker.set(value, box);
  }
  for (const value of graph.outputs.values()) {
    const last: Box = { ...first, kind: "output", title: "Output", shape: times(value.shape.slice(1)) };
    boxes.push(last);
    connect([value], last);
  }
  return { boxes, arrows };
}

/** Nodes that share a box. */
interface Part {
  readonly nodes: Node[];
  /** Path of the module that the box stands for, if it stands for one. */
  readonly module?: string;
  readonly group: string;
}

function partsOf(model: Module, graph: Graph, calls: readonly ModuleCall[], depth: number): Part[] {
  const composites = new Set([...namedModules(model).values()].filter((path) => path !== "").map(parentOf));
  const users = new Map<Value, number>();
  for (const { inputs } of graph.nodes) {
    for (const value of new Set(inputs)) users.set(value, (users.get(value) ?? 0) + 1);
  }
  const parts: Part[] = [];
  const partOf = new Map<Value, Part>();
  const partOfCall = new Map<ModuleCall, Part>();
  /** Of the node before. */
  let latest: Part | undefined;

  const partFor = (node: Node, index: number): Part => {
    const group = composites.has(node.scope) ? node.scope : parentOf(node.scope);
    if (depthOf(group) >= depth && depth > 0) {
      const module = group.split(".").slice(0, depth).join(".");
      const call = calls.find(({ path, start, end }) => path === module && start <= index && index < end);
      // What only holds layers is never called itself: a box has those that run one after another.
      const begun = call ? partOfCall.get(call) : latest?.module === module ? latest : undefined;
      const part = begun ?? { nodes: [], module, group: parentOf(module) };
      if (call) partOfCall.set(call, part);
      return part;
    }
    const [input] = node.inputs;
    const before = input && partOf.get(input);
    const follows = before && before.module === undefined && before.group === group &&
      FOLLOWERS.has(node.op) && users.get(input) === 1 && before.nodes.at(-1)!.outputs.includes(input);
    return follows ? before : { nodes: [], group };
  };
  graph.nodes.forEach((node, index) => {
    const part = partFor(node, index);
    if (part.nodes.length === 0) parts.push(part);
    part.nodes.push(node);
    latest = part;
    for (const value of node.outputs) partOf.set(value, part);
  });
  return parts;
}

const NAMES: Readonly<Partial<Record<OpName, string>>> = {
  batch_norm: "BatchNorm",
  relu: "ReLU",
  leaky_relu: "Leaky ReLU",
  relu6: "ReLU6",
  sigmoid: "Sigmoid",
  tanh: "tanh",
  softmax: "Softmax",
  log_softmax: "Log-softmax",
  dropout: "Dropout",
  local_response_norm: "Local response norm",
  scale: "Scale",
  multiply: "Multiply",
  concat: "Concatenate",
  add: "Add",
};

function nameOf(node: Node): { kind: BoxKind; title: string } {
  const window = windowOfNode(node);
  const size = window ? times(window.kernel) : "";
  const stride = window && window.stride.some((step) => step > 1) ? `, stride ${square(window.stride)}` : "";
  const [, channels = 0] = node.outputs[0]!.shape;
  switch (node.op) {
    case "conv2d": {
      const { groups } = node.attrs as AttrsOf<"conv2d">;
      const kind = groups === 1 ? "" : groups === channels ? " depthwise" : ` in ${groups} groups`;
      return { kind: "conv", title: `Conv ${size}${kind}, ${channels}${stride}` };
    }
    case "linear":
      return { kind: "linear", title: `Linear ${channels}` };
    case "max_pool2d":
      return { kind: "pool", title: `Max pool ${size}${stride}` };
    case "avg_pool2d":
      return { kind: "pool", title: `Average pool ${size}${stride}` };
    case "adaptive_avg_pool2d": {
      const { output } = node.attrs as AttrsOf<"adaptive_avg_pool2d">;
      return { kind: "pool", title: `Average pool to ${times(output)}` };
    }
    case "reshape":
      return { kind: "other", title: node.outputs[0]!.shape.length === 2 ? "Flatten" : "Reshape" };
    case "flatten_channels_last":
      return { kind: "other", title: "Flatten, channels last" };
    case "add":
    case "concat":
    case "multiply":
      return { kind: "join", title: NAMES[node.op]! };
    default:
      return { kind: "other", title: NAMES[node.op] ?? node.op };
  }
}

function square(pair: readonly number[]): string {
  return pair[0] === pair[1] ? String(pair[0]) : times(pair);
}
