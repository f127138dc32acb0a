/** Feeds a graph with batches: while the workers run one, the next are put together. */
import type { ReadOutput, Session } from "../backend/backend.ts";
import type { Batch } from "../data/batches.ts";

/** Which batch: a pure function of the seed says what is in it. */
export interface Place {
  readonly epoch: number;
  readonly step: number;
}

export interface FeedOptions {
  readonly allocate: () => Batch;
  readonly fill: (batch: Batch, place: Place) => void | Promise<void>;
  /** The place that follows; undefined after the last one. */
  readonly after: (place: Place) => Place | undefined;
  /**
   * How many batches are put together ahead of the one that runs, 1 where this thread does it. Others are as many as runs
   * under way where these are more, as far as there is room.
   */
  readonly ahead: number;
}

export interface Feed {
  /** Waits for the batch at `place`. Whatever goes wrong with data goes wrong here, before anything runs. */
  ready(place: Place): Promise<void>;
  /** Begins to run the graph on the batch at `place`, after the runs under way; see `Session.begin`. */
  begin(place: Place): Promise<Begun>;
  /** Begins to put batches together from `place` on, where that is not done already. */
  prefetch(place: Place): void;
  /**
   * For how many milliseconds, in all, the graph could not run because its batch was not there. Where several runs are under
   * way, only what is known once they are read: nothing waited while one of them was still at work.
   */
  readonly waited: number;
}

export interface Begun {
  /** What it runs on; valid until the next run begins. */
  readonly batch: Batch;
  /** Reads its outputs. */
  readonly read: ReadOutput;
}

interface Filling {
  readonly place: Place;
  readonly batch: Batch;
  readonly done: void | Promise<void>;
}

/** For batches ahead, where these are many. */
const ROOM_BYTES = 2 ** 28;

/** Milliseconds in which outputs are read where the run has ended. */
const AT_ONCE = 2;

/** Keeps a graph's inputs ahead of it. */
export function createFeed(session: Session, graph: string, options: FeedOptions): Feed {
  const { allocate, fill, after, ahead } = options;
  const spare: Batch[] = [];
  let queue: Filling[] = [];
  let current: Batch | undefined;
  let waited = 0;
  let batchBytes = 0;

  function start(place: Place): void {
    const batch = spare.pop() ?? allocate();
    batchBytes = Object.values(batch).reduce((sum, { byteLength }) => sum + byteLength, 0);
    const done = fill(batch, place);
    // A failure is told to whoever waits for the batch; until then it must not count as unhandled.
    done?.catch(() => {});
    queue.push({ place, batch, done });
  }

  /** Leaves a queue that begins with `place`. Batches that nobody wants any more are left to those who fill them. */
  function seek(place: Place): void {
    const found = queue.findIndex((filling) => samePlace(filling.place, place));
    queue = found < 0 ? [] : queue.slice(found);
    if (queue.length === 0) start(place);
  }

  /** Several runs may begin at once, whenever the results of several have come back together. */
  function most(): number {
    if (ahead === 1) return 1;
    return Math.max(ahead, Math.min(session.depth(graph), Math.floor(ROOM_BYTES / batchBytes)));
  }

  /** Begins what comes after the queue, or after `place` where the queue is empty. */
  function fillAhead(place: Place): void {
    let next = after(queue.at(-1)?.place ?? place);
    for (; next && queue.length < most(); next = after(next)) start(next);
  }

  async function ready(place: Place): Promise<void> {
    const began = performance.now();
    seek(place);
    const { done } = queue[0]!;
    if (done) {
      fillAhead(place);
      await done;
    }
    waited += performance.now() - began;
  }

  async function begin(place: Place): Promise<Begun> {
    await ready(place);
    const { batch } = queue.shift()!;
    for (const [input, data] of Object.entries(batch)) session.write(graph, input, data);
    const begun = session.begin(graph);
    if (current) spare.push(current);
    current = batch;
    // While that is under way.
    fillAhead(place);
    return { batch, read: workingSince(waited, await begun) };
  }

  /** Takes back what was waited behind a run's beginning, if the run has not ended when its outputs are asked for. */
  function workingSince(before: number, read: ReadOutput): ReadOutput {
    return async (output) => {
      const asked = performance.now();
      const data = await read(output);
      if (performance.now() - asked > AT_ONCE) waited = Math.min(waited, before);
      return data;
    };
  }

  return {
    ready,
    begin,
    prefetch(place) {
      seek(place);
      fillAhead(place);
    },
    get waited() {
      return waited;
    },
  };
}

function samePlace(one: Place, other: Place): boolean {
  return one.epoch === other.epoch && one.step === other.step;
}
