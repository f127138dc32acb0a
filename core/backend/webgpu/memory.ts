/**
 * Where everything of a session lives. States, inputs, tables, and the arena that the graphs use in turn each have a space:
 * a range of bytes that is cut into GPU buffers of `piece` bytes. What is larger than a binding has several bindings, in one
 * buffer or more.
 */
import type { Graph, Node, Value } from "../../graph/graph.ts";
import { statesOf } from "../../graph/uses.ts";
import { type Collector, lowerGraph } from "../../program/lower.ts";
import { align, bytesOf, type Pieces, type Plan, planMemory, withinPieces } from "../../program/plan.ts";
import type { Call, Program } from "../../program/program.ts";
import type { MemoryReport } from "../backend.ts";
import { bytesAs, type Half, halvesOf } from "./half.ts";
import type { Bound, Kernel, SpaceName, Table, Window } from "./kernel.ts";
import type { Collect } from "./lower/lowering.ts";
import { dispatchesOf, type Many } from "./many.ts";
import type { Range } from "./source.ts";

/** Where bindings may begin on any adapter. */
const ALIGNMENT = 256;

/** An adapter's limits that memory depends on. */
export interface MemoryLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/** A kernel and the node that it is for. */
export type Dispatch = Kernel & Call;

/** What a lowering asks for. */
export type Asked = Dispatch | (Many & Call);

interface Aliases {
  readonly program: Pick<Program<Asked>, "aliases">;
}

/** A graph, made ready to run. */
export interface Prepared {
  readonly program: Program<Dispatch>;
  readonly plan: Plan;
  /** Results that lie in memory as float16. */
  readonly halves: ReadonlyMap<Value, Half>;
}

export interface Layout {
  readonly prepared: ReadonlyMap<string, Prepared>;
  readonly states: ReadonlyMap<string, Value>;
  readonly report: MemoryReport;
  /** Bytes of each space. */
  readonly spaces: Readonly<Record<SpaceName, number>>;
  /** Where each begins. Those of the same words have one place. */
  readonly tables: ReadonlyMap<Table, number>;
  /** Bytes of a piece, and of the largest binding. */
  readonly piece: number;
  readonly binding: number;
  placeOf(item: Bound["item"], graph: Prepared): Window;
}

/**
 * Lowers and plans the graphs, and gives everything in them its place; with `half`, images between layers are float16 there.
 * Nothing is allocated yet.
 */
export function layOut(
  graphs: Readonly<Record<string, Graph>>,
  limits: MemoryLimits,
  lowerNode: (collect: Collect, node: Node) => void,
  half = false,
): Layout {
  const down = (bytes: number, step: number) => Math.max(step, Math.floor(bytes / step) * step);
  const binding = down(Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize), ALIGNMENT);
  // Whole bindings, so that those of what fills several pieces are all of one size.
  const piece = down(limits.maxBufferSize, binding);
  const limitsOfPlan = { alignment: ALIGNMENT, pieces: { piece, part: binding } };
  const planned = Object.entries(graphs).map(([name, graph]) => {
    const program = lowerGraph<Asked>(graph, (collect, node) => lowerNode(lowerFor(collect, binding), node));
    const halves = half ? halvesOf(program) : new Map<Value, Half>();
    const options = { ...limitsOfPlan, bytesOf: (value: Value) => bytesAs(halves, value) };
    return { name, program, halves, plan: planMemory(program, options) };
  });

  const newSpace = () => createSpace({ piece, part: binding });
  const stateSpace = newSpace(), inputSpace = newSpace(), tableSpace = newSpace();
  const states = statesOf(Object.values(graphs));
  const stateOffsets = new Map([...states].map(([name, value]) => [name, stateSpace.take(bytesOf(value))]));
  const inputs = Object.values(graphs).flatMap((graph) => [...graph.inputs.values()]);
  const inputOffsets = new Map(inputs.map((value) => [value, inputSpace.take(bytesOf(value))]));
  const placeOf = (item: Bound["item"], graph: Pick<Prepared, "plan" | "halves"> & Aliases): Window => {
    if ("space" in item) return item;
    if ("words" in item) {
      return { space: "tables", offset: tables.get(item)!, bytes: 4 * item.words.length };
    }
    const bytes = "kind" in item ? bytesAs(graph.halves, item) : item.bytes;
    if ("kind" in item) {
      if (item.kind === "state") return { space: "states", offset: stateOffsets.get(item.name)!, bytes };
      if (item.kind === "input") return { space: "inputs", offset: inputOffsets.get(item)!, bytes };
    }
    const offset = graph.plan.offsets.get(item);
    if (offset !== undefined) return { space: "arena", offset, bytes };
    const alias = "kind" in item ? graph.program.aliases.get(item) : undefined;
    if (!alias) throw new Error("Strata is at fault: a buffer was never placed");
    return placeOf(alias, graph);
  };
  const prepared = new Map(planned.map(({ name, program, plan, halves }): [string, Prepared] => {
    const calls = program.calls.flatMap((asked): Dispatch[] => {
      if (!("sets" in asked)) return [asked];
      const kernels = dispatchesOf(asked, (item) => placeOf(item, { program, plan, halves }), {
        piece,
        binding,
      });
      return kernels.map((kernel) => ({ ...kernel, node: asked.node }));
    });
    return [name, { program: { ...program, calls }, plan, halves }];
  }));
  const tables = placeTables([...prepared.values()], tableSpace);
  const arenaBytes = Math.max(0, ...planned.map(({ plan }) => plan.arenaBytes));
  const spaces = {
    states: stateSpace.bytes(),
    inputs: inputSpace.bytes(),
    tables: tableSpace.bytes(),
    arena: arenaBytes,
  };
  const report = {
    stateBytes: spaces.states,
    inputBytes: spaces.inputs,
    arenaBytes,
    totalBytes: Object.values(spaces).reduce((sum, bytes) => sum + bytes, 0),
  };
  return { prepared, states, report, spaces, tables, piece, binding, placeOf };
}

/** A growing range of bytes. */
interface Space {
  /** Takes the next `bytes` and returns where they begin. */
  take(bytes: number): number;
  /** Bytes taken so far, with the gaps between them. */
  bytes(): number;
}

function createSpace(pieces: Pieces): Space {
  let end = 0;
  return {
    take(bytes) {
      const offset = withinPieces(end, bytes, pieces);
      end = offset + align(bytes, ALIGNMENT);
      return offset;
    },
    bytes: () => end,
  };
}

/** Where each table begins; those of the same words share one place. */
function placeTables(prepared: readonly Prepared[], space: Space): Map<Table, number> {
  const tables = new Map<Table, number>(), byWords = new Map<string, number>();
  for (const { program: { calls } } of prepared) {
    for (const { item } of calls.flatMap(({ buffers }) => Object.values(buffers))) {
      if (!("words" in item) || tables.has(item)) continue;
      const key = item.words.join();
      if (!byWords.has(key)) byWords.set(key, space.take(4 * item.words.length));
      tables.set(item, byWords.get(key)!);
    }
  }
  return tables;
}

function lowerFor(collect: Collector<Asked>, binding: number): Collect {
  return { ...collect, binding, addMany: (many) => collect.add(many) };
}

/** The GPU buffers of a layout. */
export interface Memory {
  /** The parts of memory in which an item of the graph lies. */
  rangesOf(item: Bound["item"], graph: Prepared): Range[];
  destroy(): void;
}

/** Creates the buffers and writes the tables. Where the GPU lacks the memory, the error scope around this call gets the error. */
export function allocate(device: GPUDevice, layout: Layout): Memory {
  const { spaces, tables, piece, binding, placeOf } = layout;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const pieces = Object.fromEntries(
    Object.entries(spaces).map(([name, bytes]) => {
      const sizes = Array.from(
        { length: Math.ceil(bytes / piece) },
        (_, i) => Math.min(piece, bytes - i * piece),
      );
      return [name, sizes.map((size) => device.createBuffer({ label: name, size, usage }))];
    }),
  ) as Record<SpaceName, GPUBuffer[]>;
  for (const [{ words }, offset] of tables) {
    device.queue.writeBuffer(pieces.tables[0]!, offset, Int32Array.from(words));
  }
  return {
    rangesOf(item, graph) {
      const { space, offset, bytes } = placeOf(item, graph);
      // Whole vectors: the padding after the last number belongs to nobody else.
      const whole = align(Math.max(bytes, 1), 16);
      return Array.from({ length: Math.ceil(whole / binding) }, (_, part) => {
        const at = offset + part * binding;
        return {
          buffer: pieces[space][Math.floor(at / piece)]!,
          offset: at % piece,
          size: Math.min(binding, whole - part * binding),
        };
      });
    },
    destroy: () => Object.values(pieces).flat().forEach((buffer) => buffer.destroy()),
  };
}
