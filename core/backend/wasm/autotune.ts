/** Chooses by measurement how convolutions are computed: each method is timed on each of the graphs' convolutions. */
import { GraphBuilder } from "../../graph/builder.ts";
import { f32, type Graph } from "../../graph/graph.ts";
import type { Backend } from "../backend.ts";
import { type Convolution, convolutionOf, type Method, methodsFor, nameOf } from "./lower/method.ts";

/** Timed runs of each method, in turns, after one that warms up. */
const RUNS = 5;

/** Methods by name of the convolution. */
export type Methods = Map<string, Method>;

/**
 * Adds to `known` the fastest method for each convolution of the graphs that it does not name. The backend must look
 * methods up in `known`, as `createWasmBackend({ method: choiceOf(known) })` does. `onProgress` hears before each
 * convolution how many are done, of how many.
 *
 * @example
 * const known: Methods = new Map();
 * const backend = await createWasmBackend({ method: choiceOf(known) });
 * await autotune(backend, graphs, known);
 * const session = backend.compile(graphs);
 */
export async function autotune(
  backend: Backend,
  graphs: Readonly<Record<string, Graph>>,
  known: Methods,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<void> {
  const open = new Map<string, Convolution>();
  for (const node of Object.values(graphs).flatMap(({ nodes }) => nodes)) {
    const convolution = convolutionOf(node);
    if (!convolution || methodsFor(convolution).length === 1 || known.has(nameOf(convolution))) continue;
    open.set(nameOf(convolution), convolution);
  }
  let done = 0;
  for (const [name, convolution] of open) {
    onProgress(done++, open.size);
    known.set(name, await fastest(backend, convolution, (method) => known.set(name, method)));
  }
  onProgress(done, open.size);
}

async function fastest(
  backend: Backend,
  convolution: Convolution,
  use: (method: Method) => void,
): Promise<Method> {
  const graph = graphOf(convolution);
  const candidates = methodsFor(convolution).map((method) => {
    use(method);
    return { method, session: backend.compile({ graph }), times: [] as number[] };
  });
  try {
    for (let run = 0; run <= RUNS; run++) {
      for (const { session, times } of candidates) {
        const begun = performance.now();
        await session.run("graph");
        if (run > 0) times.push(performance.now() - begun);
      }
    }
  } finally {
    for (const { session } of candidates) session.dispose();
  }
  const medians = candidates.map(({ times }) => times.sort((a, b) => a - b)[RUNS >> 1]!);
  return candidates[medians.indexOf(Math.min(...medians))]!.method;
}

/** The convolution alone, on whatever its memory holds: zeros in a new session. */
function graphOf({ direction, x, weight, y, attrs }: Convolution): Graph {
  const builder = new GraphBuilder();
  const { stride, padding, dilation, groups } = attrs, own = { stride, padding, dilation, groups };
  const input = (name: string, shape: typeof x) => builder.input(name, f32(shape));
  const [result] = direction === "forward"
    ? builder.emit("conv2d", [input("x", x), input("weight", weight)], own)
    : direction === "input"
    ? builder.emit("conv2d_grad_input", [input("dy", y), input("weight", weight)], { ...own, input: x })
    : builder.emit("conv2d_grad_weight", [input("dy", y), input("x", x)], { ...own, weight });
  builder.output("result", result!);
  return builder.finish();
}
