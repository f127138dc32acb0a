import assert from "node:assert/strict";
import { type Player, playRounds, type RoundsOptions } from "../../peers/rounds.ts";

const quick: RoundsOptions = {
  rounds: 3,
  pauseMilliseconds: 0,
  turnMilliseconds: 0,
  machineSeconds: () => undefined,
};

function player(step: () => number, processorSeconds: () => number | undefined = () => undefined): Player {
  const take = async (steps: number) => {
    await Promise.resolve();
    return Array.from({ length: steps }, step).reduce((a, b) => a + b);
  };
  return { pace: 2, take, processorSeconds };
}

Deno.test("all take one turn a round, another one first each time", async () => {
  const order: string[] = [];
  const players = ["a", "b", "c"].map((name, i) =>
    player(() => {
      order.push(name);
      return 10 * (i + 1);
    })
  );
  const turns: number[] = [];
  const { played, failed } = await playRounds(players, { ...quick, progress: (turn) => turns.push(turn) });
  assert.equal(order.join(""), "abcbcacab");
  assert.deepEqual(turns, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(players.map((each) => played.get(each)!.milliseconds), [[10, 10, 10], [20, 20, 20], [
    30,
    30,
    30,
  ]]);
  assert.equal(failed.size, 0);
});

Deno.test("a turn of short steps takes several, and tells their mean", async () => {
  const times = [1, 3, 2, 2, 5, 2, 3, 3, 1];
  const short = player(() => times.shift()!);
  const { played } = await playRounds([short], { ...quick, turnMilliseconds: 5 });
  assert.deepEqual(played.get(short)!.milliseconds, [2, 3, 7 / 3]);
});

Deno.test("one that fails is left out, and the others go on", async () => {
  let steps = 0;
  const steady = player(() => 1);
  const tires = player(() => {
    if (++steps === 2) throw new Error("tired");
    return 1;
  });
  const { played, failed } = await playRounds([steady, tires], quick);
  assert.deepEqual(played.get(steady)!.milliseconds, [1, 1, 1]);
  assert.equal(played.has(tires), false);
  assert.equal((failed.get(tires) as Error).message, "tired");
  assert.equal(steps, 2);
});

Deno.test("a turn that others disturbed is taken again, and the least disturbed one counts", async () => {
  // Seconds that others had of the processors, try by try; orders apart, since they count by the time that has passed.
  const taken = [1e3, 0, 1e9, 1e3, 1e15];
  const times = [50, 10, 40, 30, 60];
  let busy = 0, reads = 0, steps = 0;
  const machineSeconds = () => {
    const isAfter = reads++ % 2 === 1;
    if (isAfter) busy += taken[steps - 1]!;
    return { busy, idle: 0 };
  };
  const own = player(() => times[steps++]!, () => 0);
  const { played } = await playRounds([own], { ...quick, rounds: 2, machineSeconds });
  assert.deepEqual(played.get(own)!.milliseconds, [10, 30]);
  assert.ok(played.get(own)!.disturbance! > 0);
  assert.equal(played.get(own)!.cores, 0);
});

Deno.test("processors that are idle all the same are no disturbance", async () => {
  let reads = 0;
  const machineSeconds = () => ({ busy: 1000 * reads, idle: 2000 * reads++ });
  const own = player(() => 1, () => 0);
  const { played } = await playRounds([own], { ...quick, machineSeconds });
  assert.deepEqual([played.get(own)!.disturbance, reads], [0, 6]);
});
