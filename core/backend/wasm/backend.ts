/** The CPU backend: AssemblyScript kernels on shared memory, one worker a core. */
import type { Graph, Node, Value } from "../../graph/graph.ts";
import type { OpName } from "../../ops/mod.ts";
import { type Collector, lowerGraph } from "../../program/lower.ts";
import { align, bytesOf, type Plan, planMemory } from "../../program/plan.ts";
import type { Program, Scratch, Word } from "../../program/program.ts";
import { sizeOf } from "../../shape.ts";
import { type Backend, type NumberArray, OutOfMemory, type Session } from "../backend.ts";
import type { Lower, Lowering } from "./lower/lowering.ts";
import { lowerings } from "./lower/mod.ts";
import { createPool, MEMORY_LIMIT, type Pool } from "./pool.ts";
import { toLogical, toPhysical } from "./relayout.ts";
import { createWords } from "./words.ts";

export interface WasmOptions {
  /** Worker threads; by default one a core. */
  readonly threads?: number;
  /** Columns of the GEMM's register tile, see `Lower`. By default what runs faster here. */
  readonly tile?: 8 | 16;
  /** For tests: every buffer apart, with bands behind it that are checked after each run. */
  readonly guard?: boolean;
}

const GUARD_BYTES = 256;
const GUARD_BYTE = 0xa5;

/** Compiled once a process, whatever the number of backends. */
let compiled: Promise<WebAssembly.Module> | undefined;

export async function createWasmBackend(options: WasmOptions = {}): Promise<Backend> {
  compiled ??= fetch(new URL("./kernels.wasm", import.meta.url))
    .then(async (response) => await WebAssembly.compile(await response.arrayBuffer()));
  const threads = options.threads ?? navigator.hardwareConcurrency;
  const pool = await createPool(await compiled, threads);
  const tile = options.tile ?? 8;
  return {
    name: "wasm",
    description: `WebAssembly, ${tile === 16 ? 256 : 128}-bit SIMD, ${threads} thread${
      threads === 1 ? "" : "s"
    }`,
    compile: (graphs) => createSession(pool, tile, options.guard ?? false, graphs),
    close: () => pool.close(),
  };
}

interface Prepared {
  readonly program: Program;
  readonly plan: Plan;
}

function createSession(
  pool: Pool,
  tile: 8 | 16,
  guard: boolean,
  graphs: Readonly<Record<string, Graph>>,
): Session {
  const gap = guard ? GUARD_BYTES : 0;
  const lowerNode = (collect: Collector, node: Node) => {
    const lower: Lower = { ...collect, threads: pool.threads, tile };
    (lowerings[node.op] as Lowering<OpName>)(lower, node);
  };
  const prepared = new Map<string, Prepared>();
  for (const [name, graph] of Object.entries(graphs)) {
    const program = lowerGraph(graph, lowerNode);
    prepared.set(name, { program, plan: planMemory(program, guard ? { guard: gap } : {}) });
  }

  // One block of memory: states, inputs, words (programs, arguments, tables), arena. Offsets first, addresses later.
  let bytes = 0;
  const take = (size: number) => {
    const offset = bytes;
    bytes += align(size) + gap;
    return offset;
  };
  const states = new Map<string, { value: Value; offset: number }>();
  for (const graph of Object.values(graphs)) {
    for (const [name, value] of graph.states) {
      if (!states.has(name)) states.set(name, { value, offset: take(bytesOf(value)) });
    }
  }
  const stateBytes = bytes;
  const inputs = new Map<Value, number>();
  for (const graph of Object.values(graphs)) {
    for (const value of graph.inputs.values()) inputs.set(value, take(bytesOf(value)));
  }
  const inputBytes = bytes - stateBytes;

  const wordsOffset = bytes;
  const words = createWords();
  const entries = new Map<string, { start: number; count: number }>();
  const plans = [...prepared.values()];
  const arenaOffset = wordsOffset + align(plans.reduce((sum, { program }) => sum + wordBytes(program), 0));
  const arenaBytes = Math.max(0, ...plans.map(({ plan }) => plan.arenaBytes));
  const totalBytes = arenaOffset + arenaBytes;

  const base = pool.allocate(totalBytes);
  if (base === undefined) throw new OutOfMemory(totalBytes, MEMORY_LIMIT);

  const addressOf = (item: Value | Scratch, { plan, program }: Prepared): number => {
    if ("kind" in item && item.kind === "state") return base + states.get(item.name)!.offset;
    if ("kind" in item && item.kind === "input") return base + inputs.get(item)!;
    const offset = plan.offsets.get(item);
    if (offset !== undefined) return base + arenaOffset + offset;
    const alias = "kind" in item ? program.aliases.get(item) : undefined;
    if (!alias) throw new Error("Strata is at fault: a buffer was never placed");
    return addressOf(alias, { plan, program });
  };

  for (const [name, item] of prepared) {
    const resolve = (word: Word): number => {
      if (typeof word === "number") return word;
      if ("f32" in word) return words.bitsOf(word.f32);
      if ("table" in word) return base + wordsOffset + words.append(word.table.map(resolve));
      return addressOf("value" in word ? word.value : word.scratch, item) + (word.offset ?? 0);
    };
    const calls = item.program.calls.flatMap(({ kernel, args }) => {
      const block = words.append([0, ...args.map(resolve)]);
      return [pool.kernelIndex(kernel), base + wordsOffset + block];
    });
    entries.set(name, { start: base + wordsOffset + words.append(calls), count: item.program.calls.length });
  }
  if (wordsOffset + words.bytes > arenaOffset) {
    throw new Error("Strata is at fault: the words outgrew their place");
  }
  new Int32Array(pool.memory.buffer, base + wordsOffset, words.bytes / 4).set(words.words());

  const view = (value: Value, address: number): NumberArray => {
    const length = sizeOf(value.shape);
    if (value.dtype === "f32") return new Float32Array(pool.memory.buffer, address, length);
    if (value.dtype === "i32") return new Int32Array(pool.memory.buffer, address, length);
    return new Uint8Array(pool.memory.buffer, address, length);
  };
  const store = (value: Value, address: number, data: ArrayLike<number>) => {
    if (data.length !== sizeOf(value.shape)) {
      throw new Error(`${value.name} holds ${sizeOf(value.shape)} numbers, not ${data.length}`);
    }
    // Bytes are stored as they are written, see op image_batch.
    if (value.dtype === "u8") view(value, address).set(data);
    else toPhysical(value.shape, data, view(value, address));
  };
  const fetchFrom = (value: Value, address: number): NumberArray => {
    const source = view(value, address);
    const target = new (source.constructor as new (length: number) => NumberArray)(source.length);
    toLogical(value.shape, source, target);
    return target;
  };
  const find = <T>(map: ReadonlyMap<string, T>, name: string, what: string): T => {
    const found = map.get(name);
    if (found === undefined) {
      throw new Error(`there is no ${what} ${name}; there are ${[...map.keys()].join(", ")}`);
    }
    return found;
  };

  const guards = guard
    ? guardBands(pool, base, totalBytes, states, inputs, prepared, arenaOffset)
    : undefined;

  return {
    memory: { stateBytes, inputBytes, arenaBytes, totalBytes },
    async run(name) {
      const { start, count } = find(entries, name, "graph");
      guards?.fill(name);
      await pool.run(start, count);
      guards?.check(name);
    },
    write(name, input, data) {
      const value = find(find(prepared, name, "graph").program.graph.inputs, input, "input");
      store(value, base + inputs.get(value)!, data);
    },
    read(name, output) {
      const item = find(prepared, name, "graph");
      const value = find(item.program.graph.outputs, output, "output");
      return Promise.resolve(fetchFrom(value, addressOf(value, item)));
    },
    writeState(name, data) {
      const { value, offset } = find(states, name, "state");
      store(value, base + offset, data);
    },
    readState(name) {
      const { value, offset } = find(states, name, "state");
      return Promise.resolve(fetchFrom(value, base + offset));
    },
    dispose: () => pool.free(base),
  };
}

/** Room for a program's words: two a call, and each argument block and table on a boundary of its own. */
function wordBytes({ calls }: Program): number {
  const sizeOfWord = (word: Word): number =>
    typeof word === "object" && "table" in word ? blockBytes(word.table) : 0;
  const blockBytes = (block: readonly Word[]): number =>
    align(4 * block.length) + block.reduce<number>((sum, word) => sum + sizeOfWord(word), 0);
  return align(8 * calls.length) + calls.reduce((sum, { args }) => sum + blockBytes([0, ...args]), 0);
}

/** Fills everything that belongs to no buffer with a pattern, and looks for changes after a run. */
function guardBands(
  pool: Pool,
  base: number,
  totalBytes: number,
  states: ReadonlyMap<string, { value: Value; offset: number }>,
  inputs: ReadonlyMap<Value, number>,
  prepared: ReadonlyMap<string, Prepared>,
  arenaOffset: number,
) {
  const bands = (graph: string): { start: number; end: number; behind: string }[] => {
    const { plan, program } = prepared.get(graph)!;
    const found: { start: number; end: number; behind: string }[] = [];
    const add = (offset: number, bytes: number, behind: string) =>
      found.push({ start: offset + bytes, end: offset + align(bytes) + GUARD_BYTES, behind });
    for (const [name, { value, offset }] of states) add(offset, bytesOf(value), `state ${name}`);
    for (const [value, offset] of inputs) add(offset, bytesOf(value), `input ${value.name}`);
    for (const node of program.graph.nodes) {
      node.outputs.forEach((value, index) => {
        const offset = plan.offsets.get(value);
        if (offset === undefined || program.aliases.has(value)) return;
        add(arenaOffset + offset, bytesOf(value), `output ${index} of ${node.op}`);
      });
      for (const piece of program.scratch.get(node) ?? []) {
        add(arenaOffset + plan.offsets.get(piece)!, piece.bytes, `scratch of ${node.op}`);
      }
    }
    return found;
  };
  const bytes = () => new Uint8Array(pool.memory.buffer, base, totalBytes);
  return {
    fill(graph: string) {
      for (const { start, end } of bands(graph)) bytes().fill(GUARD_BYTE, start, end);
    },
    check(graph: string) {
      const memory = bytes();
      for (const { start, end, behind } of bands(graph)) {
        for (let at = start; at < end; at++) {
          if (memory[at] !== GUARD_BYTE) {
            throw new Error(`a kernel wrote ${at - start} bytes behind ${behind}`);
          }
        }
      }
    },
  };
}
