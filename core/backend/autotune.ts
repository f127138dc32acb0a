/** Chooses by measurement how nodes are computed: each way is timed on each node of the graphs that has a choice. */
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { ownInputs, type WithEpilogue } from "../ops/epilogue.ts";
import { type Backend, OutOfMemory, type Session } from "./backend.ts";

/** Timed runs of each way, in turns, after one that warms up. */
const RUNS = 5;

/**
 * Adds to `known` the fastest way for each node of the graphs that it does not name. The backend must look ways up in `known`, as
 * one that was created with it does. `onProgress` hears before each node how many are done, of how many.
 *
 * @example
 * const known = new Map<string, string>();
 * const backend = await createWebgpuBackend({ choices: known });
 * await autotune(backend, graphs, known);
 * const session = backend.compile(graphs);
 */
export async function autotune(
  backend: Backend,
  graphs: Readonly<Record<string, Graph>>,
  known: Map<string, string>,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<void> {
  const { tuning } = backend;
  const open = new Map<string, { readonly node: Node; readonly ways: readonly string[] }>();
  for (const node of Object.values(graphs).flatMap(({ nodes }) => nodes)) {
    const name = tuning.nameOf(node);
    if (known.has(name) || open.has(name)) continue;
    const ways = tuning.waysFor(node);
    if (ways.length > 1) open.set(name, { node, ways });
  }
  let done = 0;
  for (const [name, { node, ways }] of open) {
    onProgress(done++, open.size);
    known.set(name, await fastest(backend, node, ways, (way) => known.set(name, way)));
  }
  onProgress(done, open.size);
}

interface Candidate {
  readonly way: string;
  readonly session: Session;
  readonly times: number[];
}

async function fastest(
  backend: Backend,
  node: Node,
  ways: readonly string[],
  use: (way: string) => void,
): Promise<string> {
  const graph = alone(node);
  // What `use` says counts until `compile` has returned, which is before anything is waited for.
  const started = ways.map((way) => {
    use(way);
    return startIfItFits(backend, graph);
  });
  const sessions = await Promise.all(started);
  const candidates = ways.flatMap((way, i): Candidate[] => {
    const session = sessions[i];
    return session ? [{ way, session, times: [] }] : [];
  });
  // Where not even one fits, neither will the graph: that is told when it is compiled.
  if (candidates.length === 0) return ways[0]!;
  try {
    for (let run = 0; run <= RUNS; run++) {
      for (const { session, times } of candidates) {
        const kernels = await session.profile("graph");
        if (run > 0) times.push(kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0));
      }
    }
  } finally {
    for (const { session } of candidates) session.dispose();
  }
  const medians = candidates.map(({ times }) => times.sort((a, b) => a - b)[RUNS >> 1]!);
  return candidates[medians.indexOf(Math.min(...medians))]!.way;
}

async function startIfItFits(backend: Backend, graph: Graph): Promise<Session | undefined> {
  try {
    const session = backend.compile({ graph });
    await session.ready;
    return session;
  } catch (error) {
    if (error instanceof OutOfMemory) return undefined;
    throw error;
  }
}

/** The node alone, without an epilogue, on whatever its memory holds: zeros in a new session. */
function alone({ op, inputs, attrs }: Node): Graph {
  const builder = new GraphBuilder();
  const { epilogue = [], ...own } = attrs as WithEpilogue;
  const given = ownInputs(inputs, { epilogue }).map((value, i) => builder.input(`x${i}`, value));
  builder.emit(op, given, own as Node["attrs"]).forEach((value, i) => builder.output(`y${i}`, value));
  return builder.finish();
}
