/** A session in the pool's memory: puts a layout at an address, and moves numbers in and out. */
import type { Value } from "../../graph/graph.ts";
import type { Word } from "../../program/program.ts";
import { OutOfMemory, type Session } from "../backend.ts";
import { find } from "../find.ts";
import { arrayOver, expectCount, readLogical, writeLogical } from "../numbers.ts";
import { createGuards } from "./guard.ts";
import type { Layout, Prepared } from "./layout.ts";
import type { Pool } from "./pool.ts";
import { readTimes, timesBytes } from "./timed_walk.ts";
import { createWords } from "./words.ts";

/** Takes memory for the layout and writes its programs there. Throws `OutOfMemory`. */
export function createSession(pool: Pool, layout: Layout, guarded: boolean): Session {
  const { totalBytes } = layout.report;
  const base = pool.allocate(totalBytes);
  if (base === undefined) throw new OutOfMemory(totalBytes, pool.available());
  const entries = writePrograms(pool, layout, base);
  const guards = guarded
    ? createGuards(layout, () => new Uint8Array(pool.memory.buffer, base, totalBytes))
    : undefined;

  const store = (value: Value, address: number, data: ArrayLike<number>) => {
    expectCount(value, data);
    writeLogical(value, data, arrayOver(value, pool.memory.buffer, address));
  };
  const load = (value: Value, address: number) => readLogical(value, pool.memory.buffer, address);
  const graphOf = (name: string): Prepared => find(layout.prepared, name, "graph");
  const stateOf = (name: string): [Value, number] => {
    const value = find(layout.states, name, "state");
    return [value, base + layout.offsetOf(value, [...layout.prepared.values()][0]!)];
  };

  return {
    ready: Promise.resolve(),
    memory: layout.report,
    stateNames: [...layout.states.keys()],
    stateShape: (name) => find(layout.states, name, "state").shape,
    inputNames: (graph) => [...graphOf(graph).program.graph.inputs.keys()],
    async run(graph) {
      const { start, count } = find(entries, graph, "graph");
      guards?.draw(graph);
      await pool.run(start, count);
      guards?.check(graph);
    },
    begin(graph) {
      const running = this.run(graph);
      // Whoever reads gets the failure; until then it must not count as unhandled.
      running.catch(() => {});
      return Promise.resolve(async (output) => {
        await running;
        return await this.read(graph, output);
      });
    },
    // The next batch is written over the one that a run reads.
    depth: () => 1,
    async profile(graph) {
      const { start, count } = find(entries, graph, "graph");
      const bytes = timesBytes(count, pool.threads);
      const times = pool.allocate(bytes);
      if (times === undefined) throw new OutOfMemory(bytes, pool.available());
      try {
        guards?.draw(graph);
        await pool.run(start, count, times);
        guards?.check(graph);
        const taken = readTimes(pool.memory, times, count, pool.threads);
        return graphOf(graph).program.calls.map(({ kernel, node }, index) => ({
          kernel,
          node,
          ...taken[index]!,
        }));
      } finally {
        pool.free(times);
      }
    },
    write(graph, input, data) {
      const prepared = graphOf(graph);
      const value = find(prepared.program.graph.inputs, input, "input");
      store(value, base + layout.offsetOf(value, prepared), data);
    },
    read(graph, output) {
      const prepared = graphOf(graph);
      const value = find(prepared.program.graph.outputs, output, "output");
      return Promise.resolve(load(value, base + layout.offsetOf(value, prepared)));
    },
    writeState(name, data) {
      store(...stateOf(name), data);
    },
    readState(name) {
      return Promise.resolve(load(...stateOf(name)));
    },
    dispose: () => pool.free(base),
  };
}

/** Writes the programs of all graphs, with addresses in the place of buffers. */
function writePrograms(
  pool: Pool,
  layout: Layout,
  base: number,
): Map<string, { start: number; count: number }> {
  const words = createWords();
  const origin = base + layout.wordsOffset;
  const entries = new Map<string, { start: number; count: number }>();
  for (const [name, prepared] of layout.prepared) {
    const resolve = (word: Word): number => {
      if (typeof word === "number") return word;
      if ("f32" in word) return words.bitsOf(word.f32);
      if ("table" in word) return origin + words.append(word.table.map(resolve));
      const item = "value" in word ? word.value : word.scratch;
      return base + layout.offsetOf(item, prepared) + (word.offset ?? 0);
    };
    const { calls } = prepared.program;
    const program = calls.flatMap(({ kernel, args }) => {
      const block = args.map(resolve); // Tables come before the block that points at them.
      return [pool.kernelIndex(kernel), origin + words.append([0, ...block])];
    });
    entries.set(name, { start: origin + words.append(program), count: calls.length });
  }
  new Int32Array(pool.memory.buffer, origin, words.bytes / 4).set(words.words());
  return entries;
}
