import assert from "node:assert/strict";
import type { ReadOutput, Session } from "../../../core/backend/backend.ts";
import type { Batch } from "../../../core/data/batches.ts";
import { createFeed, type Place } from "../../../core/train/feed.ts";

/** Notes what it ran; a run takes a turn of the event loop. */
function recorder(depth = 1) {
  const ran: number[] = [];
  let written = -1;
  const session = {
    write: (_graph: string, input: string, data: ArrayLike<number>) => {
      if (input === "target") written = data[0]!;
    },
    depth: () => depth,
    begin: async () => {
      ran.push(written);
      await pause(0);
      return () => Promise.resolve();
    },
  } as unknown as Session;
  return { ran, session };
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

const allocate = (): Batch => ({
  pixels: new Uint8Array(1),
  moves: new Int32Array(3),
  target: new Int32Array(1),
});
const at = (step: number): Place => ({ epoch: 0, step });
const number = ({ epoch, step }: Place) => 100 * epoch + step;

Deno.test("feed: batches that are filled at once are one ahead, each is filled once", async () => {
  const { ran, session } = recorder();
  const filled: number[] = [];
  const feed = createFeed(session, "train", {
    allocate,
    fill: ({ target }, place) => void filled.push(target[0] = number(place)),
    after: ({ step }) => step < 3 ? at(step + 1) : undefined,
    ahead: 1,
  });
  for (let step = 0; step < 4; step++) {
    const { batch } = await feed.begin(at(step));
    assert.equal(batch.target[0], step, "the batch that ran is still whole");
  }
  assert.deepEqual([ran, filled], [[0, 1, 2, 3], [0, 1, 2, 3]]);
});

Deno.test("feed: slow batches are begun ahead, run in their order, and reuse few arrays", async () => {
  const { ran, session } = recorder();
  let under = 0, most = 0, allocated = 0;
  const feed = createFeed(session, "train", {
    allocate: () => (allocated++, allocate()),
    async fill({ target }, place) {
      most = Math.max(most, ++under);
      // Later ones may be done sooner.
      await new Promise((resolve) => setTimeout(resolve, place.step % 2 ? 1 : 4));
      target[0] = number(place);
      under--;
    },
    after: ({ epoch, step }) => step < 9 ? { epoch, step: step + 1 } : { epoch: epoch + 1, step: 0 },
    ahead: 3,
  });
  const places = [0, 1].flatMap((epoch) => Array.from({ length: 10 }, (_, step) => ({ epoch, step })));
  for (const place of places) await feed.begin(place);
  assert.deepEqual(ran, places.map(number));
  assert.equal(most, 3);
  assert.ok(allocated <= 5, `${allocated}`);
  assert.ok(feed.waited > 0);
});

Deno.test("feed: where more runs are under way, as many batches are put together, within bounds", async () => {
  for (
    const [depth, ahead, bytes, expected] of [[8, 3, 1, 8], [2, 3, 1, 3], [8, 1, 1, 1], [
      8,
      3,
      2 ** 26,
      3,
    ]] as const
  ) {
    const { session } = recorder(depth);
    let begun = 0;
    const feed = createFeed(session, "train", {
      allocate: () => ({ ...allocate(), pixels: { byteLength: bytes } as unknown as Uint8Array }),
      fill: () => void begun++,
      after: ({ step }) => at(step + 1),
      ahead,
    });
    feed.prefetch(at(0));
    assert.equal(begun, expected, `depth ${depth}, ${ahead} ahead, ${bytes} bytes`);
    await feed.begin(at(0));
    assert.equal(begun, expected + 1);
  }
});

Deno.test("feed: another place than the one foreseen is filled anew", async () => {
  const { ran, session } = recorder();
  const feed = createFeed(session, "train", {
    allocate,
    fill: ({ target }, place) => void (target[0] = number(place)),
    after: ({ step }) => at(step + 1),
    ahead: 2,
  });
  feed.prefetch(at(5));
  for (const step of [5, 6, 2, 3, 9]) await feed.begin(at(step));
  assert.deepEqual(ran, [5, 6, 2, 3, 9]);
});

Deno.test("feed: a batch that fails is told when its turn has come", async () => {
  const { ran, session } = recorder();
  const feed = createFeed(session, "train", {
    allocate,
    async fill({ target }, place) {
      await Promise.resolve();
      if (place.step === 2) throw new Error("lost");
      target[0] = place.step;
    },
    after: ({ step }) => at(step + 1),
    ahead: 3,
  });
  await feed.begin(at(0));
  await feed.begin(at(1));
  await assert.rejects(feed.begin(at(2)), /^Error: lost$/);
  assert.deepEqual(ran, [0, 1]);
});

/** Time in which only sleeping takes any: what happens does not depend on how busy the machine is. */
class Clock {
  now = 0;
  readonly #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ until: this.now + milliseconds, wake }));
  }

  /** What `work` gives, when nothing measures time by another clock. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const real = performance.now;
    performance.now = () => this.now;
    try {
      let ended = false;
      const result = work().finally(() => ended = true);
      // A turn of the event loop lets all go on that does not sleep.
      for (await pause(0); !ended; await pause(0)) this.#wakeNext();
      return await result;
    } finally {
      performance.now = real;
    }
  }

  #wakeNext(): void {
    this.#sleepers.sort((a, b) => a.until - b.until);
    const next = this.#sleepers.shift();
    if (!next) throw new Error("nothing sleeps, and the work has not ended");
    this.now = next.until;
    next.wake();
  }
}

/** A device whose runs take so long, one behind the other; results come for so many of them at once, as a GPU's do. */
function device(clock: Clock, milliseconds: number, together: number): Session {
  let last = Promise.resolve();
  let group: Promise<void>[] = [];
  return {
    write() {},
    begin() {
      if (group.length === together) group = [];
      group.push(last = last.then(() => clock.sleep(milliseconds)));
      const own = group;
      return Promise.resolve(() => Promise.all(own));
    },
  } as unknown as Session;
}

interface Course {
  readonly fill: number;
  readonly run: number;
  readonly together: number;
}

/** The share of the time of 16 runs in which they waited for batches. */
function waitedShare({ fill, run, together }: Course): Promise<number> {
  const steps = 16, depth = together === 1 ? 1 : 2 * together;
  const clock = new Clock();
  const feed = createFeed(device(clock, run, together), "train", {
    allocate,
    fill: () => clock.sleep(fill),
    after: ({ step }) => step + 1 < steps ? at(step + 1) : undefined,
    ahead: 1,
  });
  return clock.run(async () => {
    const underWay: ReadOutput[] = [];
    for (let begun = 0, ended = 0; ended < steps; ended++) {
      while (begun < steps && underWay.length < depth) underWay.push((await feed.begin(at(begun++))).read);
      await underWay.shift()!("loss");
    }
    return feed.waited / clock.now;
  });
}

Deno.test("feed: filling that outlasts the runs is waited for, filling beside them is not", async () => {
  for (const together of [1, 4]) {
    const slow = await waitedShare({ fill: 24, run: 4, together });
    assert.ok(slow > 0.8, `${together} together: ${slow}`);
    const fast = await waitedShare({ fill: 8, run: 24, together });
    // Only the first batch.
    assert.equal(fast, 8 / (8 + 16 * 24), `${together} together`);
  }
});
