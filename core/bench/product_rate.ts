/** How fast a backend multiplies matrices. */
import type { Backend, Session } from "../backend/backend.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { f32 } from "../graph/graph.ts";

const LEAST_SIDE = 256;
const MOST_SIDE = 4096;

/** A product long enough that starting it is negligible. */
const ENOUGH_MILLISECONDS = 20;

/** GFLOP/s of a product of square matrices in float32, the best of what fits into about this many milliseconds. */
export async function productRate(backend: Backend, milliseconds: number): Promise<number> {
  let best = 0, left = milliseconds;
  for (let side = LEAST_SIDE; left > 0; side = Math.min(2 * side, MOST_SIDE)) {
    const session = compileProduct(backend, side);
    try {
      await session.run("init");
      // The first run may still compile something.
      await session.run("product");
      let taken: number;
      do {
        const began = performance.now();
        taken = await timeOf(session);
        left -= performance.now() - began;
        best = Math.max(best, 2 * side ** 3 / taken / 1e6);
      } while (left > 0 && (taken >= ENOUGH_MILLISECONDS || side === MOST_SIDE));
    } finally {
      session.dispose();
    }
  }
  return best;
}

function compileProduct(backend: Backend, side: number): Session {
  const shape = f32([side, side]);
  const builder = new GraphBuilder(), init = new GraphBuilder();
  for (const name of ["x", "weight"]) init.emit("init_constant", [init.state(name, shape)], { value: 0.5 });
  const inputs = [builder.state("x", shape), builder.state("weight", shape)];
  builder.output("y", builder.emit("linear", inputs, {})[0]!);
  return backend.compile({ product: builder.finish(), init: init.finish() });
}

/** Milliseconds of all kernels of a product. */
async function timeOf(session: Session): Promise<number> {
  return (await session.profile("product")).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}
