/** Runs of a session's graphs, each submitted with copies of its small outputs, which come back together. */
import type { Value } from "../../graph/graph.ts";
import { bytesOf } from "../../program/plan.ts";
import type { NumberArray, ReadOutput } from "../backend.ts";
import { find } from "../find.ts";
import { readLogical } from "../numbers.ts";
import type { Gpu } from "./device.ts";
import type { Layout, Prepared } from "./memory.ts";
import { type Compiled, record } from "./program.ts";
import { createResults, type Results } from "./results.ts";
import type { Range } from "./source.ts";

/** The smallest outputs of a graph, up to this many bytes in all, come back with every run. */
const SMALL_BYTES = 2 ** 22;

/** A run, once it is submitted. */
export interface Submitted {
  readonly graph: string;
  /** Settles once it has ended. */
  done(): Promise<void>;
  /** Reads an output: at any time one that comes back with the run, others until the next run. */
  readonly read: ReadOutput;
}

export interface Runs {
  /** Submits a graph's work; it has to be compiled. */
  submit(graph: string): Submitted;
  /** Records the commands of a graph's next run now, so that the GPU need not wait for them then. */
  recordNext(graph: string): void;
  /** See `Session.depth`. */
  depth(graph: string): number;
  destroy(): void;
}

/** What runs need of their session. */
export interface RunsOptions {
  readonly gpu: Gpu;
  readonly layout: Layout;
  /** Filled while the session gets ready. */
  readonly compiled: ReadonlyMap<string, Compiled>;
  rangesOf(value: Value, prepared: Prepared): Range[];
  /** Reads what does not come back by itself. */
  fetchOne(value: Value, prepared: Prepared): Promise<NumberArray>;
}

/** What comes back with every run of a graph. */
interface Returned {
  /** Where in its bytes each value is. */
  readonly places: ReadonlyMap<Value, number>;
  readonly results: Results | undefined;
}

export function createRuns({ gpu, layout, compiled, rangesOf, fetchOne }: RunsOptions): Runs {
  const { device, watch } = gpu, { queue } = device;
  const preparedOf = (graph: string) => find(layout.prepared, graph, "graph");

  const returned = new Map([...layout.prepared].map(([name, prepared]): [string, Returned] => {
    let at = 0;
    const places = new Map<Value, number>();
    const ranges = smallOutputs(prepared).flatMap((value) => {
      places.set(value, at);
      const own = rangesOf(value, prepared);
      at += own.reduce((sum, { size }) => sum + size, 0);
      return own;
    });
    return [name, { places, results: places.size > 0 ? createResults(device, ranges) : undefined }];
  }));

  /** Commands that were recorded ahead. */
  const recorded = new Map<string, GPUCommandBuffer>();

  function commandsOf(graph: string): GPUCommandBuffer {
    const encoder = device.createCommandEncoder();
    record(encoder, compiled.get(graph)!.steps);
    return encoder.finish();
  }

  return {
    submit(graph) {
      const work = recorded.get(graph) ?? commandsOf(graph);
      recorded.delete(graph);
      const { places, results } = returned.get(graph)!;
      const encoder = device.createCommandEncoder();
      const arriving = results?.copy(encoder);
      queue.submit([work, encoder.finish()]);
      return {
        graph,
        done: async () => void await watch<unknown>(arriving ? arriving() : queue.onSubmittedWorkDone()),
        async read(output) {
          const prepared = preparedOf(graph);
          const value = find(prepared.program.graph.outputs, output, "output"), place = places.get(value);
          if (place === undefined || !arriving) return await fetchOne(value, prepared);
          return readLogical(value, await watch(arriving()), place);
        },
      };
    },
    recordNext(graph) {
      recorded.set(graph, commandsOf(graph));
    },
    depth(graph) {
      const { outputs } = preparedOf(graph).program.graph, { places, results } = returned.get(graph)!;
      const allReturn = [...outputs.values()].every((value) => places.has(value));
      return allReturn ? results?.depth ?? 1 : 1;
    },
    destroy() {
      for (const { results } of returned.values()) results?.destroy();
    },
  };
}

/** The values that come back with every run: the smallest of the outputs. */
function smallOutputs({ program: { graph } }: Prepared): Value[] {
  let left = SMALL_BYTES;
  return [...new Set(graph.outputs.values())]
    .sort((a, b) => bytesOf(a) - bytesOf(b))
    .filter((value) => (left -= bytesOf(value)) >= 0);
}
