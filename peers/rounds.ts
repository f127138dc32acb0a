/** Rounds in which each contestant takes its turn, so that changes of the machine's speed meet all of them. */

export interface Player {
  /** About how many milliseconds a step takes. */
  readonly pace: number;
  /** Takes this many steps; returns the milliseconds of all together. */
  take(steps: number): Promise<number>;
  /** Processor time so far; undefined where the system does not say. */
  processorSeconds(): number | undefined;
}

/** Processor time of the whole machine so far. */
export interface MachineSeconds {
  readonly busy: number;
  readonly idle: number;
}

export interface RoundsOptions {
  readonly rounds: number;
  /** Between two turns, for the threads of the last one to stop spinning and go to sleep. */
  readonly pauseMilliseconds: number;
  /** A turn is one step, and more where they are short. */
  readonly turnMilliseconds: number;
  /** Undefined where the system does not say. */
  readonly machineSeconds: () => MachineSeconds | undefined;
  /** Called before each turn with how many are over. */
  readonly progress?: (turns: number) => void;
}

export interface Played {
  /** Milliseconds a step, round by round. */
  readonly milliseconds: readonly number[];
  /** Processors that it kept busy. */
  readonly cores: number | undefined;
  /** Processors that others had while none was idle: contestants that spin, other programs, a hypervisor's other guests. */
  readonly disturbance: number | undefined;
}

/** A turn with more disturbance than this is repeated, this many times at most; the least disturbed one counts. */
export const DISTURBED = 0.15;
const TRIES = 3;

/** The results of those that took all their turns, and what the others threw. */
export async function playRounds<P extends Player>(
  players: readonly P[],
  options: RoundsOptions,
): Promise<{ played: Map<P, Played>; failed: Map<P, unknown> }> {
  const { rounds, progress } = options;
  const turns = new Map(players.map((player): [P, Turn[]] => [player, []]));
  const failed = new Map<P, unknown>();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < players.length; i++) {
      progress?.(round * players.length + i);
      const player = players[(round + i) % players.length]!; // Another one begins each round.
      if (failed.has(player)) continue;
      try {
        turns.get(player)!.push(await takeQuietTurn(player, options));
      } catch (error) {
        failed.set(player, error);
      }
    }
  }
  const whole = [...turns].filter(([player]) => !failed.has(player));
  return { played: new Map(whole.map(([player, taken]) => [player, resultOf(taken)])), failed };
}

interface Turn {
  readonly milliseconds: number;
  readonly cores: number | undefined;
  readonly disturbance: number | undefined;
}

async function takeQuietTurn(player: Player, options: RoundsOptions): Promise<Turn> {
  const tries: Turn[] = [];
  do {
    await new Promise((resolve) => setTimeout(resolve, options.pauseMilliseconds));
    tries.push(await takeTurn(player, options));
  } while ((tries.at(-1)!.disturbance ?? 0) > DISTURBED && tries.length < TRIES);
  return tries.reduce((best, next) => next.disturbance! < best.disturbance! ? next : best);
}

async function takeTurn(player: Player, { turnMilliseconds, machineSeconds }: RoundsOptions): Promise<Turn> {
  const begun = performance.now();
  const [own, machine] = [player.processorSeconds(), machineSeconds()];
  const steps = Math.max(1, Math.ceil(turnMilliseconds / player.pace));
  const milliseconds = await player.take(steps);
  const [ownAfter, machineAfter] = [player.processorSeconds(), machineSeconds()];
  const seconds = (performance.now() - begun) / 1000;

  const cores = own === undefined || ownAfter === undefined ? undefined : (ownAfter - own) / seconds;
  const turn = { milliseconds: milliseconds / steps, cores, disturbance: undefined };
  if (cores === undefined || !machine || !machineAfter) return turn;
  const busy = (machineAfter.busy - machine.busy) / seconds;
  const idle = (machineAfter.idle - machine.idle) / seconds;
  return { ...turn, disturbance: Math.max(busy - cores - idle, 0) };
}

function resultOf(turns: readonly Turn[]): Played {
  return {
    milliseconds: turns.map(({ milliseconds }) => milliseconds),
    cores: mean(turns.map(({ cores }) => cores)),
    disturbance: mean(turns.map(({ disturbance }) => disturbance)),
  };
}

function mean(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.flatMap((number) => number ?? []);
  if (known.length < numbers.length) return undefined;
  return known.reduce((a, b) => a + b, 0) / known.length;
}
