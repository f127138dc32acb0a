/**
 * Where everything of a session lives: one block of memory with
 *
 *     states │ inputs │ words (programs, arguments, tables) │ arena, which the graphs use in turn
 *
 * as offsets; the block's own address is added when there is one.
 */
import { fuse } from "../../graph/fuse.ts";
import type { Graph, Node, Value } from "../../graph/graph.ts";
import { statesOf } from "../../graph/uses.ts";
import type { OpName } from "../../ops/mod.ts";
import { lowerGraph } from "../../program/lower.ts";
import { align, bytesOf, type Plan, planMemory } from "../../program/plan.ts";
import type { Program, Scratch, Word } from "../../program/program.ts";
import type { MemoryReport } from "../backend.ts";
import type { Lowering } from "./lower/lowering.ts";
import type { Chooser } from "./lower/method.ts";
import { lowerings } from "./lower/mod.ts";

export interface LayoutOptions {
  readonly threads: number;
  readonly tile: 8 | 16;
  readonly method: Chooser;
  /** Whether ops may be fused, which changes no bit of any result. */
  readonly fuse: boolean;
  /** Bytes after every buffer that nothing may touch; then no two buffers share memory. */
  readonly guard: number | undefined;
}

/** A graph, made ready to run. */
export interface Prepared {
  readonly program: Program;
  readonly plan: Plan;
}

export interface Layout {
  readonly prepared: ReadonlyMap<string, Prepared>;
  readonly states: ReadonlyMap<string, Value>;
  readonly wordsOffset: number;
  readonly report: MemoryReport;
  /** Offset of a value or scratch of the graph. */
  offsetOf(item: Value | Scratch, prepared: Prepared): number;
}

/** Fuses, lowers and plans the graphs, and gives everything in them its place. Nothing is allocated yet. */
export function layOut(graphs: Readonly<Record<string, Graph>>, options: LayoutOptions): Layout {
  const { threads, tile, method, guard } = options;
  const prepared = new Map(
    Object.entries(graphs).map(([name, graph]): [string, Prepared] => {
      const fused = options.fuse ? fuse(graph) : graph;
      const program = lowerGraph(
        fused,
        ({ add, ...collect }, node) => {
          const call = (kernel: string, ...args: Word[]) => add({ kernel, args });
          lowerNode({ ...collect, call, threads, tile, method }, node);
        },
      );
      return [name, { program, plan: planMemory(program, guard === undefined ? {} : { guard }) }];
    }),
  );

  let bytes = 0;
  const take = (size: number) => {
    const offset = bytes;
    bytes += align(size) + (guard ?? 0);
    return offset;
  };
  const states = statesOf(Object.values(graphs));
  const stateOffsets = new Map([...states].map(([name, value]) => [name, take(bytesOf(value))]));
  const stateBytes = bytes;
  const inputOffsets = new Map<Value, number>();
  for (const graph of Object.values(graphs)) {
    for (const value of graph.inputs.values()) inputOffsets.set(value, take(bytesOf(value)));
  }
  const wordsOffset = bytes;
  for (const { program } of prepared.values()) take(wordBytes(program));
  const arenaOffset = bytes;
  const arenaBytes = Math.max(0, ...[...prepared.values()].map(({ plan }) => plan.arenaBytes));

  const offsetOf = (item: Value | Scratch, graph: Prepared): number => {
    if ("kind" in item) {
      if (item.kind === "state") return stateOffsets.get(item.name)!;
      if (item.kind === "input") return inputOffsets.get(item)!;
    }
    const offset = graph.plan.offsets.get(item);
    if (offset !== undefined) return arenaOffset + offset;
    const alias = "kind" in item ? graph.program.aliases.get(item) : undefined;
    if (!alias) throw new Error("Strata is at fault: a buffer was never placed");
    return offsetOf(alias, graph);
  };
  const report = {
    stateBytes,
    inputBytes: wordsOffset - stateBytes,
    arenaBytes,
    totalBytes: arenaOffset + arenaBytes,
  };
  return { prepared, states, wordsOffset, report, offsetOf };
}

function lowerNode(lower: Parameters<Lowering<OpName>>[0], node: Node): void {
  (lowerings[node.op] as Lowering<OpName>)(lower, node);
}

/** Room for a program's words: two a call, and each argument block and table on a cache line of its own. */
function wordBytes({ calls }: Program): number {
  const tableBytes = (word: Word): number =>
    typeof word === "object" && "table" in word ? blockBytes(word.table, 0) : 0;
  const blockBytes = (block: readonly Word[], header: number): number =>
    block.reduce<number>((sum, word) => sum + tableBytes(word), align(4 * (header + block.length)));
  return calls.reduce((sum, { args }) => sum + blockBytes(args, 1), align(8 * calls.length));
}
