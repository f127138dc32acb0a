/** Where a step's time goes: its kernel calls, put together by what they are part of. */
import type { KernelTime } from "../backend/backend.ts";
import type { Node } from "../graph/graph.ts";
import type { WithEpilogue } from "../ops/epilogue.ts";
import type { BatchNormGradAttrs } from "../ops/norm.ts";
import { times } from "../summary/format.ts";
import { convolutionOf, imageText, windowText } from "./convolution.ts";
import { macsOf, trafficOf } from "./cost.ts";

/** What some of the calls took. */
export interface Share {
  readonly name: string;
  readonly calls: number;
  readonly milliseconds: number;
  /** How much of them a thread waited at barriers for the others, on average. */
  readonly waiting: number;
  /** Multiply-accumulates of the nodes, by the direct method; 0 where there are none worth counting. */
  readonly macs: number;
  /** Bytes of all inputs and outputs of the nodes, see `trafficOf`. */
  readonly bytes: number;
}

/** A step by its parts, the slowest first in each list. */
export interface Profile {
  readonly steps: number;
  readonly milliseconds: number;
  readonly waiting: number;
  /** By what is computed: op, and window where there is one. */
  readonly ops: readonly Share[];
  /** By kernel. Costs belong to nodes, and a node may take several kernels: these have none. */
  readonly kernels: readonly Share[];
  /** By the module that asked for the work, forward and backward. */
  readonly layers: readonly Share[];
  /** Node by node. */
  readonly nodes: readonly Share[];
}

/** Of some runs of the same program; of each call the run in which it took the median time. */
export function profileOf(runs: readonly (readonly KernelTime[])[]): Profile {
  const calls = (runs[0] ?? []).map((_, call) => {
    const sorted = runs.map((run) => run[call]!).sort((a, b) => a.milliseconds - b.milliseconds);
    return sorted[sorted.length >> 1]!;
  });
  const sum = (of: "milliseconds" | "waiting") => calls.reduce((sum, call) => sum + call[of], 0);
  const ids = new Map([...new Set(calls.map(({ node }) => node))].map((node, index) => [node, index]));
  return {
    steps: runs.length,
    milliseconds: sum("milliseconds"),
    waiting: sum("waiting"),
    ops: shares(calls, ({ node }) => kindOf(node)),
    kernels: shares(calls, ({ kernel }) => kernel).map((share) => ({ ...share, macs: 0, bytes: 0 })),
    layers: shares(calls, ({ node: { scope, layer } }) => `${scope || "(network)"}${layer && ` ${layer}`}`),
    nodes: shares(calls, ({ node }) => String(ids.get(node)), ({ node }) => nodeName(node)),
  };
}

/** Sums up the calls that have the same key, the slowest sum first. */
function shares(
  calls: readonly KernelTime[],
  keyOf: (call: KernelTime) => string,
  nameOf: (call: KernelTime) => string = keyOf,
): Share[] {
  const groups = new Map<string, KernelTime[]>();
  for (const call of calls) {
    const group = groups.get(keyOf(call));
    if (group) group.push(call);
    else groups.set(keyOf(call), [call]);
  }
  return [...groups.values()].map((group): Share => {
    const nodes = [...new Set(group.map(({ node }) => node))];
    const sum = <T>(items: readonly T[], of: (item: T) => number) =>
      items.reduce((sum, item) => sum + of(item), 0);
    return {
      name: nameOf(group[0]!),
      calls: group.length,
      milliseconds: sum(group, ({ milliseconds }) => milliseconds),
      waiting: sum(group, ({ waiting }) => waiting),
      macs: sum(nodes, macsOf),
      bytes: sum(nodes, trafficOf),
    };
  }).sort((a, b) => b.milliseconds - a.milliseconds);
}

/** `conv2d 3×3/2`, `conv2d_grad_input 3×3, 32 groups`, `batch_norm + add + relu` where ops were fused */
export function kindOf(node: Node): string {
  const convolution = convolutionOf(node);
  const { epilogue = [], activation } = node.attrs as WithEpilogue & Partial<BatchNormGradAttrs>;
  const fused = [...activation ? [`${activation.op}_grad`] : [], ...epilogue.map(({ op }) => op)];
  return [node.op + (convolution ? ` ${windowText(convolution)}` : "").trimEnd(), ...fused].join(" + ");
}

/** `layer1.0.conv2 conv2d 3×3, 64×56×56 → 64`, `layer1.0.relu relu 256×56×56` */
function nodeName(node: Node): string {
  const convolution = convolutionOf(node);
  const shape = times(node.outputs[0]?.shape.slice(1) ?? []);
  const size = convolution ? `, ${imageText(convolution)}` : shape && ` ${shape}`;
  return `${node.scope || "(network)"} ${kindOf(node)}${size}`;
}
