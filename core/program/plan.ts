/**
 * The memory plan: where every result and scratch of a program lives in its arena.
 *
 * A buffer lives from the node that makes it to the last node that reads it (outputs: to the end). Buffers whose
 * lives do not touch may share memory. Placement is greedy by size, the largest first, each at the lowest offset that
 * is free for its whole life (Pisarchyk & Lee 2020, "Greedy by Size"). An op that may work in place takes over the
 * memory of an input that dies with it.
 */
import { bytesPerElement, type Value } from "../graph/graph.ts";
import { opOf } from "../ops/mod.ts";
import { sizeOf } from "../shape.ts";
import type { Program, Scratch } from "./program.ts";

/** Cache lines, and the widest vectors. */
const ALIGNMENT = 64;

export interface PlanOptions {
  /** Offsets are multiples of this many bytes; 64 by default. */
  readonly alignment?: number;
  /** How the arena is divided; one piece by default. */
  readonly pieces?: Pieces;
  /** Bytes that a value takes; those of its type by default. */
  readonly bytesOf?: (value: Value) => number;
  /** Give every buffer memory of its own, with this many spare bytes after it. For tests that look for stray writes. */
  readonly guard?: number;
}

export interface Plan {
  /** Byte offsets in the arena of results and scratch. */
  readonly offsets: ReadonlyMap<Value | Scratch, number>;
  readonly arenaBytes: number;
}

/** Memory shared by values that are the same bytes, for as long as any of them is needed. */
interface Buffer {
  bytes: number;
  first: number;
  last: number;
  readonly members: (Value | Scratch)[];
}

/** `bytes`, rounded up to where the next buffer may begin. */
export function align(bytes: number, alignment = ALIGNMENT): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Memory that comes in pieces, each a GPU buffer, of which no more than a part, a binding, can be reached at once. */
export interface Pieces {
  /** Bytes of a piece: whole parts. */
  readonly piece: number;
  /** Bytes of a part: a multiple of the alignment. */
  readonly part: number;
}

const ONE_PIECE: Pieces = { piece: Infinity, part: Infinity };

/** The lowest offset from `start` on at which a buffer lies within a piece, or begins with a part if it is larger than one. */
export function withinPieces(start: number, bytes: number, { piece, part }: Pieces): number {
  if (bytes > part) return align(start, part);
  const end = (Math.floor(start / piece) + 1) * piece;
  return start + bytes <= end ? start : end;
}

/** Bytes that a value of its type takes. */
export function bytesOf(value: Value): number {
  return sizeOf(value.shape) * bytesPerElement[value.dtype];
}

/** Places all results and scratch of a program in one arena: what is never needed at once shares memory. */
export function planMemory(program: Planned, options: PlanOptions = {}): Plan {
  const buffers = findBuffers(program, options.guard === undefined, options.bytesOf ?? bytesOf);
  return options.guard === undefined ? placeShared(buffers, options) : placeApart(buffers, options.guard);
}

/** What a plan has to know of a program. */
type Planned = Pick<Program, "graph" | "scratch" | "aliases">;

function findBuffers(
  { graph, scratch, aliases }: Planned,
  inPlace: boolean,
  bytesOf: (value: Value) => number,
): Buffer[] {
  const end = graph.nodes.length;
  const lastUse = new Map<Value, number>();
  graph.nodes.forEach((node, index) => node.inputs.forEach((value) => lastUse.set(value, index)));
  for (const value of graph.outputs.values()) lastUse.set(value, end);

  const buffers: Buffer[] = [];
  const bufferOf = new Map<Value, Buffer>();
  graph.nodes.forEach((node, index) => {
    node.outputs.forEach((value, place) => {
      const last = lastUse.get(value) ?? index;
      let buffer: Buffer | undefined;
      const alias = aliases.get(value);
      if (alias) {
        // An alias of an input or a state has no memory in the arena at all.
        buffer = bufferOf.get(alias);
        if (!buffer) return;
      } else if (inPlace && place === 0) {
        const read = node.inputs.map((input) => bufferOf.get(input));
        buffer = (opOf(node.op).inplace ?? []).map((candidate) => read[candidate]).find((dying) =>
          dying && dying.last === index && dying.bytes === bytesOf(value) &&
          // An input that the epilogue reads, too, is read again after the op's own result was written.
          read.indexOf(dying) === read.lastIndexOf(dying)
        );
      }
      if (!buffer) buffers.push(buffer = { bytes: bytesOf(value), first: index, last, members: [] });
      buffer.last = Math.max(buffer.last, last);
      buffer.members.push(value);
      bufferOf.set(value, buffer);
    });
    for (const piece of scratch.get(node) ?? []) {
      buffers.push({ bytes: piece.bytes, first: index, last: index, members: [piece] });
    }
  });
  return buffers;
}

/** Part of the arena, and the life of the buffer that has it. */
interface Placed {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

function placeShared(buffers: readonly Buffer[], { alignment, pieces = ONE_PIECE }: PlanOptions): Plan {
  const offsets = new Map<Value | Scratch, number>();
  const placed: Placed[] = []; // In the order of offsets, so that one pass finds the lowest gap.
  let arenaBytes = 0;
  const bySize = [...buffers].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const { bytes, first, last, members } of bySize) {
    let start = 0;
    for (const other of placed) {
      if (other.last < first || last < other.first) continue;
      if (start + bytes <= other.start) break;
      start = withinPieces(Math.max(start, other.end), bytes, pieces);
    }
    const end = start + align(Math.max(bytes, 1), alignment);
    placed.splice(placeFor(placed, start), 0, { start, end, first, last });
    for (const member of members) offsets.set(member, start);
    arenaBytes = Math.max(arenaBytes, end);
  }
  return { offsets, arenaBytes };
}

/** Where in `placed` something that starts at `start` belongs. */
function placeFor(placed: readonly Placed[], start: number): number {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle]!.start > start) high = middle;
    else low = middle + 1;
  }
  return low;
}

function placeApart(buffers: readonly Buffer[], guard: number): Plan {
  const offsets = new Map<Value | Scratch, number>();
  let arenaBytes = 0;
  for (const buffer of buffers) {
    for (const member of buffer.members) offsets.set(member, arenaBytes);
    arenaBytes += align(buffer.bytes) + align(guard);
  }
  return { offsets, arenaBytes };
}
