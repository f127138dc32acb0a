/** Guard bands: a pattern after every buffer, which is checked after each run. For tests. */
import type { Value } from "../../graph/graph.ts";
import { align, bytesOf } from "../../program/plan.ts";
import type { Scratch } from "../../program/program.ts";
import type { Layout, Prepared } from "./layout.ts";

export const GUARD_BYTES = 256;
const PATTERN = 0xa5;

interface Band {
  readonly start: number;
  readonly end: number;
  readonly behind: string;
}

export interface Guards {
  /** Draws the bands of the graph's buffers. */
  draw(graph: string): void;
  /** Throws where a band has changed. */
  check(graph: string): void;
}

/** `bytes` gives the session's block of memory. */
export function createGuards(layout: Layout, bytes: () => Uint8Array): Guards {
  const bandsOf = (name: string) => findBands(layout, layout.prepared.get(name)!);
  return {
    draw(graph) {
      for (const { start, end } of bandsOf(graph)) bytes().fill(PATTERN, start, end);
    },
    check(graph) {
      const memory = bytes();
      for (const { start, end, behind } of bandsOf(graph)) {
        for (let at = start; at < end; at++) {
          if (memory[at] !== PATTERN) {
            throw new Error(`a kernel wrote at byte ${at - start} behind ${behind}`);
          }
        }
      }
    },
  };
}

function findBands(layout: Layout, graph: Prepared): Band[] {
  const band = (item: Value | Scratch, bytes: number, behind: string): Band => {
    const offset = layout.offsetOf(item, graph);
    return { start: offset + bytes, end: offset + align(bytes) + GUARD_BYTES, behind };
  };
  const { program } = graph;
  return [
    ...[...layout.states.values()].map((value) => band(value, bytesOf(value), `state ${value.name}`)),
    ...[...program.graph.inputs.values()].map((value) => band(value, bytesOf(value), `input ${value.name}`)),
    ...program.graph.nodes.flatMap((node) => [
      ...node.outputs.flatMap((value, index) =>
        program.aliases.has(value) ? [] : [band(value, bytesOf(value), `output ${index} of ${node.op}`)]
      ),
      ...(program.scratch.get(node) ?? []).map((piece) => band(piece, piece.bytes, `scratch of ${node.op}`)),
    ]),
  ];
}
