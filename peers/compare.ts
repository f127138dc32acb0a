/** One workload: starts the contestants, lets them play, and gathers what there is to tell. */
import { join } from "node:path";
import { namedParameters } from "../core/nn/mod.ts";
import { sizeOf } from "../core/shape.ts";
import type { Contestant } from "./contestants.ts";
import { networks } from "./networks.ts";
import type { Job, Workload } from "./protocol.ts";
import { type Player, playRounds, type RoundsOptions } from "./rounds.ts";
import { machineSeconds } from "./system_figures.ts";
import { Missing, startWorker, type Worker, WorkerFailure } from "./worker.ts";

/** What a contestant did in a workload. */
export interface Score {
  readonly contestant: string;
  readonly version: string;
  /** A step, round by round. */
  readonly milliseconds: readonly number[];
  /** See `Played`. */
  readonly cores: number | undefined;
  readonly disturbance: number | undefined;
  readonly peakBytes: number | undefined;
  readonly plannedBytes: number | undefined;
}

export interface Failure {
  readonly contestant: string;
  readonly reason: string;
}

export interface Outcome {
  readonly workload: Workload;
  readonly scores: readonly Score[];
  readonly failures: readonly Failure[];
}

export interface Setup extends Pick<RoundsOptions, "rounds" | "pauseMilliseconds" | "turnMilliseconds"> {
  readonly threads: number;
  /** Steps before the rounds, at least this many and for this long: compilers and allocators settle in them. */
  readonly warmup: { readonly steps: number; readonly milliseconds: number };
  readonly packages: string;
  /** Those that can write ONNX files, the first choice first. */
  readonly exporters: readonly Contestant[];
  /** What has been found missing so far, by contestant; it is not tried again. */
  readonly missing: Map<string, Missing>;
  readonly progress: (share: number, what: string) => void;
}

/** How much of a workload's progress the start takes, about. */
const START_SHARE = 0.4;

export async function compare(
  workload: Workload,
  contestants: readonly Contestant[],
  setup: Setup,
): Promise<Outcome> {
  const entrants: Entrant[] = [];
  try {
    const failures = await startAll(workload, contestants, setup, entrants);
    const { played, failed } = await playRounds(entrants, {
      ...setup,
      machineSeconds,
      progress(turns) {
        const round = Math.floor(turns / entrants.length) + 1;
        const share = START_SHARE + (1 - START_SHARE) * turns / (setup.rounds * entrants.length);
        setup.progress(share, `${titleOf(workload)}: round ${round} of ${setup.rounds}`);
      },
    });
    for (const [{ contestant }, error] of failed) failures.push(failureOf(contestant, error));
    return {
      workload,
      scores: [...played].map(([{ worker, contestant }, figures]) => ({
        contestant: contestant.name,
        version: worker.ready.version,
        ...figures,
        peakBytes: worker.peakResidentBytes(),
        plannedBytes: worker.ready.planned,
      })),
      failures,
    };
  } finally {
    await Promise.all(entrants.map(({ worker }) => worker.stop()));
  }
}

/** Who takes part. */
interface Entrant extends Player {
  readonly contestant: Contestant;
  readonly worker: Worker;
}

/** Starts one after the other into `entrants`, since some measure the machine as they start. Returns who could not. */
async function startAll(
  workload: Workload,
  contestants: readonly Contestant[],
  setup: Setup,
  entrants: Entrant[],
): Promise<Failure[]> {
  const folder = await Deno.makeTempDir({ prefix: "strata-peers-" });
  try {
    const failures: Failure[] = [];
    const job = jobOf(workload, setup, folder);
    const able = contestants.filter(({ name, runs }) => runs(workload) && !setup.missing.has(name));
    let onnx: Promise<void> | undefined;
    for (const [i, contestant] of able.entries()) {
      setup.progress(START_SHARE * i / able.length, `${titleOf(workload)}: ${contestant.name} starts`);
      try {
        if (!contestant.command) throw new Missing("nobody has said where it is");
        if (contestant.readsOnnx) await (onnx ??= writeOnnx(job, setup));
        const worker = await startWorker(contestant.command, job);
        const { take, processorSeconds } = worker;
        entrants.push({ contestant, worker, take, processorSeconds, pace: await warmUp(worker, setup) });
      } catch (error) {
        if (error instanceof Missing) setup.missing.set(contestant.name, error);
        else failures.push(failureOf(contestant, error));
      }
    }
    return failures;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function failureOf({ name }: Contestant, error: unknown): Failure {
  if (!(error instanceof WorkerFailure)) throw error;
  return { contestant: name, reason: error.message };
}

/** `resnet50, training` */
export function titleOf({ model, mode }: Workload): string {
  return `${model}, ${mode === "train" ? "training" : "inference"}`;
}

function jobOf(workload: Workload, { threads, packages }: Setup, folder: string): Job {
  const { create, num_classes } = networks[workload.model]!;
  const [, height, width] = workload.input;
  const model = create({ num_classes, in_channels: workload.input[0], input_size: [height, width] });
  const parameters = [...namedParameters(model).values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const onnx = join(folder, `${workload.model}.onnx`);
  return { ...workload, classes: num_classes, threads, parameters, packages, onnx };
}

async function writeOnnx(job: Job, { exporters, missing }: Setup): Promise<void> {
  let reason = "PyTorch, which writes the ONNX file that it reads, is not there";
  for (const { name, command } of exporters) {
    if (!command || missing.get(name)?.installable) continue;
    try {
      const worker = await startWorker(command, { ...job, mode: "export" });
      return await worker.stop();
    } catch (error) {
      if (!(error instanceof WorkerFailure)) throw error;
      if (error instanceof Missing) missing.set(name, error);
      else reason = `${name} could not write the ONNX file: ${error.message}`;
    }
  }
  throw new WorkerFailure(reason);
}

/** Returns the milliseconds of a step. Where one fails, the worker has ended. */
async function warmUp(worker: Worker, { warmup }: Setup): Promise<number> {
  const begun = performance.now();
  let steps = 1, pace = await worker.take(1);
  while (steps < warmup.steps || performance.now() - begun < warmup.milliseconds) {
    // As many again, so that in the end little of it is waiting for what they bring back.
    pace = await worker.take(steps) / steps;
    steps *= 2;
  }
  return pace;
}
