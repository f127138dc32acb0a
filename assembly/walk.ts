/**
 * The program walker: every worker runs `walk` over the same program at the same time.
 *
 * A program is `count` pairs of words `{ kernel: index in the function table, args: address }`.
 */

/** How often a waiting thread looks before it sleeps: for about 20 µs, the length of a short kernel. */
const SPINS: i32 = 4000;

/**
 * Waits until all `threads` have arrived. `barrier` points at two words: arrivals, generation.
 * The last to arrive opens the next generation; the others spin briefly, then sleep. Exported for the walk that keeps
 * time, see core/backend/wasm/timed_walk.ts.
 */
export function wait(barrier: usize, threads: i32): void {
  const generation = atomic.load<i32>(barrier, 4);
  if (atomic.add<i32>(barrier, 1) == threads - 1) {
    atomic.store<i32>(barrier, 0);
    atomic.store<i32>(barrier, generation + 1, 4);
    atomic.notify(barrier + 4, -1);
    return;
  }
  for (let spin = 0; spin < SPINS; spin++) {
    if (atomic.load<i32>(barrier, 4) != generation) return;
  }
  while (atomic.load<i32>(barrier, 4) == generation) {
    atomic.wait<i32>(barrier + 4, generation, -1);
  }
}

/** Runs the program as thread `thread` of `threads`; returns when all threads have finished all of it. */
export function walk(program: usize, count: i32, barrier: usize, thread: i32, threads: i32): void {
  const end = program + (<usize> count << 3);
  for (let call = program; call < end; call += 8) {
    const args = load<usize>(call, 4);
    call_indirect<void>(load<u32>(call), args, thread);
    wait(barrier, threads);
    // Reset the ticket for the next run: all threads are done with this kernel.
    if (thread == 0) store<i32>(args, 0);
  }
  // The resets above must be visible to all before the next run.
  wait(barrier, threads);
}
