/**
 * What every kernel shares with the program that calls it.
 *
 * A kernel is `export function name(args: usize, thread: i32): void`. All threads call it with the same `args`
 * at the same time, and a barrier follows. `args` points at 32-bit words:
 *
 *     word 0    the ticket: 0 when the kernel starts (reset by the walker after the barrier)
 *     word 1…   the arguments, in the order in which the lowering lists them:
 *               addresses (u32), integers (i32) or numbers (f32)
 *
 * Threads share work by drawing tickets: `while ((task = draw(args)) < tasks) …`. Which thread computes a task is a matter of
 * chance, so a task must write what no other task writes, and its result must not depend on the thread. That is what makes
 * one thread and sixteen give the same bits.
 */

/** Argument `index` (from 0) as an address. */
export function address(args: usize, index: i32): usize {
  return load<usize>(args + (<usize> (index + 1) << 2));
}

/** Argument `index` (from 0) as an integer. */
export function integer(args: usize, index: i32): i32 {
  return load<i32>(args + (<usize> (index + 1) << 2));
}

/** Argument `index` (from 0) as a number. */
export function number(args: usize, index: i32): f32 {
  return load<f32>(args + (<usize> (index + 1) << 2));
}

/** The next task nobody has drawn yet, counted from 0. */
export function draw(args: usize): i32 {
  return atomic.add<i32>(args, 1);
}
