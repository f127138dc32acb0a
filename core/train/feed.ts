/** Feeds a graph with batches: while the workers run one, the next is put together. */
import type { Session } from "../backend/backend.ts";
import type { Batch } from "../data/batches.ts";

/** Which batch: a pure function of the seed says what is in it. */
export interface Place {
  readonly epoch: number;
  readonly step: number;
}

/** Runs the graph on the batch at `place`; `next` is the one to put together meanwhile, where there is one. */
export type Feed = (place: Place, next: Place | undefined) => Promise<void>;

/** Keeps a graph's inputs ahead of it: the next batch is put together while this one runs. */
export function createFeed(
  session: Session,
  graph: string,
  batch: Batch,
  fill: (batch: Batch, place: Place) => void,
): Feed {
  let ready: Place | undefined;
  return async (place, next) => {
    if (ready?.epoch !== place.epoch || ready.step !== place.step) fill(batch, place);
    for (const [input, data] of Object.entries(batch)) session.write(graph, input, data);
    const running = session.run(graph);
    if (next) fill(batch, next);
    ready = next;
    await running;
  };
}
