/** `bench model`: how long a network's training step or inference takes, and what memory. */
import { type Backend, type KernelTime, OutOfMemory } from "../core/backend/backend.ts";
import { isWasm } from "../core/backend/wasm/backend.ts";
import { isWebgpu } from "../core/backend/webgpu/backend.ts";
import { macsOf } from "../core/bench/cost.ts";
import { type Profile, profileOf } from "../core/bench/profile.ts";
import { percent, profileText } from "../core/bench/profile_text.ts";
import { measureRoof, peakGflops, peakName, type Roof } from "../core/bench/roof.ts";
import {
  type Statistics,
  statisticsOf,
  type Timed,
  timeSteps,
  type TimingPlan,
} from "../core/bench/statistics.ts";
import { type Mode, prepareWorkload, type Workload } from "../core/bench/workload.ts";
import { UserError } from "../core/errors.ts";
import { optimizerNames, type OptimizerOptions } from "../core/optim/optimizer.ts";
import { times } from "../core/summary/format.ts";
import { describeFlags, oneOf, type Parsed, parseFlags, switchFlag, whole } from "./arguments.ts";
import { machineOf, versions } from "./machine.ts";
import { chooseModel, type ChosenModel, modelFlags } from "./model.ts";
import { createBackend, deviceFlag, exactFlag } from "./backend.ts";
import { type BackendFacts, backendText, factsOf } from "./backend_facts.ts";
import { createProgress } from "./progress.ts";
import { usualOptimizer } from "./settings/schedule.ts";

const MODES: readonly Mode[] = ["train", "infer"];

export const benchModelFlags = {
  ...modelFlags,
  batch: whole("images a step; default 8", { min: 1 }),
  mode: oneOf(MODES, "train (the default): a whole training step; or infer: images in, scores out"),
  optimizer: oneOf(optimizerNames, "of training: sgd (with momentum, the default), adam, adamw or rmsprop"),
  steps: whole("steps to time; default what fits into ten seconds, from 5 to 200", { min: 1 }),
  warmup: whole("steps before them; default 2, and a second at least", { min: 0 }),
  profile: switchFlag("where the time goes: by op, layer and kernel, the slowest first"),
  top: whole("lines of each of its tables; default 12", { min: 1 }),
  device: deviceFlag,
  threads: whole("worker threads; default one a core", { min: 1, max: 256 }),
  exact: exactFlag,
  json: switchFlag("one JSON document"),
  help: switchFlag("shows this"),
};

const HELP = `Times a network's training step or inference, and tells what memory it takes.

  deno task bench model --model resnet50 --batch 8 --input 3x224x224
  deno task bench model --model vgg16_cifar --batch 100 --mode infer --json

`;

/** Runs the command; returns its exit code. */
export async function benchModel(args: readonly string[]): Promise<number> {
  const given = parseFlags(benchModelFlags, args);
  if (given.help) {
    console.log(HELP + describeFlags(benchModelFlags).join("\n"));
    return 0;
  }
  const { mode = "train", batch = 8, top = 12 } = given;
  if (given.top !== undefined && !given.profile) {
    throw new UserError("--top has no meaning without --profile");
  }
  const chosen = await chooseModel(given);
  const optimizer = optimizerOf(given);
  const backend = await createBackend(given);
  try {
    // Before the network takes its memory, of which it may need all.
    const roof = given.profile ? await measureRoof(backend) : undefined;
    const workload = await prepare(backend, chosen, { mode, batch, optimizer });
    const plan = planOf(given, backend);
    const { times, steps, warmup, runs, peaks } = await time(workload, plan, roof && { backend, roof });
    const result = {
      ...await tell(workload, chosen, backend, { mode, batch, optimizer }),
      ...ratesOf(workload, batch, statisticsOf(times)),
      steps,
      warmup,
      ...roof ? { roof: { ...roof, gflops: statisticsOf(peaks).median }, profile: profileOf(runs) } : {},
    };
    console.log(given.json ? JSON.stringify(result, null, 2) : describe(result, backend, top).join("\n"));
    return 0;
  } finally {
    backend.close();
  }
}

type Given = Parsed<typeof benchModelFlags>;

interface Setup {
  readonly mode: Mode;
  readonly batch: number;
  readonly optimizer: OptimizerOptions;
}

/** As `train` has them by default. */
function optimizerOf({ optimizer: name = "sgd", mode }: Given): OptimizerOptions {
  if (mode === "infer" && name !== "sgd") {
    throw new UserError(`--optimizer ${name} has no effect with --mode infer`);
  }
  return usualOptimizer(name);
}

/** On a GPU steps overlap, as in training: what each takes alone says little. */
function planOf({ steps, warmup }: Given, backend: Backend): TimingPlan {
  const onGpu = isWebgpu(backend);
  return {
    ...warmup === undefined ? { warmup: 2, warmupMilliseconds: 1000 } : { warmup, warmupMilliseconds: 0 },
    ...steps === undefined ? { least: 5, most: onGpu ? Infinity : 200 } : { least: steps, most: steps },
    milliseconds: 10_000,
    group: onGpu ? 500 : 0,
  };
}

async function prepare(
  backend: Backend,
  { model, input }: ChosenModel,
  setup: Setup,
): Promise<Workload> {
  try {
    return await prepareWorkload(backend, model, { ...setup, input });
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    throw new UserError(`--batch ${setup.batch}: the step ${error.message}; take fewer images`);
  }
}

interface Run extends Timed {
  /** The kernel calls of the steps that were profiled. */
  readonly runs: readonly (readonly KernelTime[])[];
  /** The peak beside each of them: of a CPU's micro-kernel, measured every time; of a GPU, measured once. */
  readonly peaks: readonly number[];
}

/** With a backend to profile, each timed step is followed by a profiled one: machines change speed, and all see the same. */
async function time(
  { session, name, take }: Workload,
  plan: TimingPlan,
  profiled: { readonly backend: Backend; readonly roof: Roof } | undefined,
): Promise<Run> {
  const runs: KernelTime[][] = [];
  const peaks: number[] = [];
  const progress = createProgress();
  const timed = await timeSteps(
    take,
    plan,
    (done, expected) =>
      progress.show(done / expected, done === 0 ? "warming up" : `step ${done + 1} of ${expected}`),
    async () => {
      if (!profiled) return;
      runs.push(await session.profile(name));
      const { backend, roof } = profiled;
      peaks.push(isWasm(backend) ? await peakGflops(backend) : roof.gflops);
    },
  );
  progress.stop();
  return { ...timed, runs, peaks };
}

interface Rates {
  readonly milliseconds: Statistics;
  readonly images_per_second: number;
  /** Of convolutions and products, as the direct method would count them. */
  readonly gflops: number;
}

function ratesOf({ graph }: Workload, batch: number, milliseconds: Statistics): Rates {
  const macs = graph.nodes.reduce((sum, node) => sum + macsOf(node), 0);
  const { median } = milliseconds;
  return { milliseconds, images_per_second: 1000 * batch / median, gflops: 2 * macs / median / 1e6 };
}

/** What was measured, on what, and what memory it took. */
interface Subject {
  readonly model: string;
  readonly mode: Mode;
  readonly batch: number;
  readonly input: readonly number[];
  readonly optimizer: OptimizerOptions | undefined;
  readonly backend: BackendFacts;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly memory: {
    readonly states: number;
    readonly inputs: number;
    readonly results: number;
    readonly planned: number;
    /** What the system says of the whole process. */
    readonly resident: number;
  };
  /** Of the last step; null in inference, and where it is not finite: then the optimiser had nothing to do. */
  readonly loss: number | null;
}

async function tell(
  { session }: Workload,
  { name, input }: ChosenModel,
  backend: Backend,
  { mode, batch, optimizer }: Setup,
): Promise<Subject> {
  const { stateBytes, inputBytes, arenaBytes, totalBytes } = session.memory;
  const loss = mode === "train" ? (await session.read(mode, "loss"))[0]! : null;
  return {
    model: name,
    mode,
    batch,
    input,
    optimizer: mode === "train" ? optimizer : undefined,
    backend: factsOf(backend),
    machine: machineOf(),
    versions,
    memory: {
      states: stateBytes,
      inputs: inputBytes,
      results: arenaBytes,
      planned: totalBytes,
      resident: Deno.memoryUsage().rss,
    },
    loss: Number.isFinite(loss) ? loss : null,
  };
}

/** What `--json` prints. */
interface ModelResult extends Subject, Rates {
  /** How many were timed. */
  readonly steps: number;
  readonly warmup: number;
  readonly roof?: Roof;
  readonly profile?: Profile;
}

function describe(result: ModelResult, backend: Backend, top: number): string[] {
  const { model, input, batch, mode, optimizer, milliseconds, memory } = result;
  const { steps } = result, { median, min, max, spread, count } = milliseconds;
  const what = mode === "train" ? `training with ${optimizer!.name}` : "inference";
  const notFinite = mode === "train" && result.loss === null;
  return [
    `${model}, ${times(input)}, batch ${batch}, ${what}`,
    backendText(backend),
    "",
    `  images a second  ${digits(result.images_per_second)}`,
    `  ms a step        ${digits(median)} median of ${count}${
      steps > count ? ` groups, together ${steps} steps` : ""
    } (${result.warmup} before them to warm up)`,
    `                   ${digits(min)} the fastest, ${digits(max)} the slowest, quartiles ${
      percent(spread)
    } apart`,
    `  GFLOP/s          ${
      digits(result.gflops)
    }, the operations of convolutions and products by the whole time`,
    `  memory, MiB      ${mebibytes(memory.planned)} planned (${mebibytes(memory.states)} states, ${
      mebibytes(memory.results)
    } results); the process has ${mebibytes(memory.resident)}`,
    ...notFinite ? ["", "The loss is not finite: the optimiser's work is not in these figures."] : [],
    ...result.profile && result.roof
      ? ["", ...profileText(result.profile, result.roof, peakName(backend), top)]
      : [],
  ];
}

/** Four digits and no more. */
function digits(number: number): string {
  return number >= 1000 ? number.toFixed(0) : number.toPrecision(4);
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
