/** Checkpoints: a session's states and a run's progress, as the tensors and metadata of one safetensors file. */
import type { Session } from "../backend/backend.ts";
import { UserError } from "../errors.ts";
import { checkFinite, hasOnlyFinite } from "../finite.ts";
import type { SafeTensor, Safetensors } from "../format/safetensors.ts";
import { Counter, type Module, stateDict } from "../nn/module.ts";
import { formatShape, sameShape, sizeOf } from "../shape.ts";
import { NotFinite } from "./not_finite.ts";
import { newProgress, type Progress } from "./progress.ts";
import { averageName } from "./step.ts";

/** What a file says of itself; `config` is the run's own business. */
export interface CheckpointHeader {
  readonly model: string;
  readonly progress: Progress;
  readonly config: unknown;
}

const FORMAT = "1";
const OPTIMIZER = "optimizer.";
const AVERAGE = averageName("");

/**
 * With `optimizer`, all that a run needs to go on: the state_dict under PyTorch's names, the optimiser's states, the
 * moving averages. Without, the state_dict that the run is judged by: of what has a moving average, that. Throws
 * `NotFinite` where a number is not finite: such weights are never kept.
 */
export async function toCheckpoint(
  model: Module,
  session: Session,
  header: CheckpointHeader,
  options: { readonly optimizer: boolean },
): Promise<Safetensors> {
  const read = async (state: string): Promise<SafeTensor> => {
    const data = await session.readState(state) as Float32Array<ArrayBuffer>;
    if (!hasOnlyFinite(data)) {
      throw new NotFinite(`${state} is not finite any more: nothing was saved; lower --lr`);
    }
    return { dtype: "F32", shape: session.stateShape(state), data };
  };
  const reading: [name: string, tensor: Promise<SafeTensor> | SafeTensor][] = [];
  for (const [name, item] of stateDict(model)) {
    if (item instanceof Counter) {
      const data = BigInt64Array.of(BigInt(header.progress.batches));
      reading.push([name, { dtype: "I64", shape: [], data }]);
    } else reading.push([name, read(options.optimizer ? name : judgedState(session, name))]);
  }
  if (options.optimizer) {
    for (const name of session.stateNames) if (isRuns(name)) reading.push([name, read(name)]);
  }
  // Asked for all at once, waited for together: a GPU sends them so.
  const arrived = await Promise.all(reading.map(([, tensor]) => tensor));
  const tensors = new Map(reading.map(([name], i) => [name, arrived[i]!]));
  const metadata = {
    format: "pt", // Row-major tensors under PyTorch's names, as other readers ask for.
    "strata.format": FORMAT,
    "strata.model": header.model,
    "strata.progress": JSON.stringify(header.progress),
    "strata.config": JSON.stringify(header.config),
  };
  return { metadata, tensors };
}

/**
 * Reads a checkpoint's header from its metadata; undefined where there is none, as in a state_dict that PyTorch saved. Throws where it is
 * damaged.
 */
export function readHeader(
  metadata: Readonly<Record<string, string>>,
  file: string,
): CheckpointHeader | undefined {
  const {
    "strata.format": format,
    "strata.model": model,
    "strata.progress": progress,
    "strata.config": config,
  } = metadata;
  if (format === undefined) return undefined;
  try {
    if (format !== FORMAT || !model || !progress || !config) throw new Error("incomplete");
    return { model, progress: upToDate(JSON.parse(progress)), config: JSON.parse(config) };
  } catch {
    throw new UserError(`${file}: its metadata is damaged; resume from another checkpoint`);
  }
}

/** Progress as files of older versions have it, too. */
function upToDate(
  { correct = 0, best_accuracy = 0, ...known }: Partial<
    Progress & { correct: number; best_accuracy: number }
  >,
): Progress {
  // Runs from before gradients could be accumulated have as many batches as updates.
  const batches = known.batches ?? known.updates ?? 0;
  // Only classifiers could be trained then.
  const figure_sums = known.figure_sums ?? { accuracy: correct };
  const progress = { ...newProgress(), best_score: best_accuracy, ...known, batches, figure_sums };
  const { figure_sums: sums, ...counts } = progress;
  if (![counts, sums].every((numbers) => Object.values(numbers).every(Number.isFinite))) {
    throw new Error("no numbers");
  }
  return progress;
}

/**
 * Puts all of a checkpoint's numbers into a session, to go on with the run. Throws, before anything is changed, where the
 * network is another one, or a number is not finite. (What it is judged by is read as any other weights are, see `parseStateDict`.)
 */
export function restore(
  model: Module,
  session: Session,
  { tensors }: Safetensors,
  file: string,
): void {
  const own = [...stateDict(model)].flatMap(([name, item]) => item instanceof Counter ? [] : [name]);
  const names = [...own, ...session.stateNames.filter(isRuns)];
  const missing = names.filter((name) => !tensors.has(name));
  if (missing.length > 0 && missing.every(isRuns) && ![...tensors.keys()].some(isRuns)) {
    throw new UserError(
      `${file}: holds weights only, to be tested with --evaluate-only; go on with the run from its last.safetensors`,
    );
  }
  if (missing.length > 0) {
    throw new UserError(`${file}: of another network or optimiser: ${listed(missing)} missing from it`);
  }
  for (const name of names) {
    const { shape, dtype, data } = tensors.get(name)!;
    const expected = session.stateShape(name);
    if (dtype !== "F32" || !sameShape(shape, expected)) {
      throw new UserError(
        `${file}: of another network: ${name} is ${dtype} ${formatShape(shape)} in it, and F32 ` +
          `${formatShape(expected)} here`,
      );
    }
    checkFinite(name, data as Float32Array, file);
  }
  const known = new Set(stateDict(model).keys());
  const strange = [...tensors.keys()].filter((name) => !known.has(name) && !isRuns(name));
  if (strange.length > 0) throw new UserError(`${file}: of another network: ${listed(strange)} unknown here`);
  for (const name of names) session.writeState(name, tensors.get(name)!.data as Float32Array);
  // What no file keeps is of no use but within a run.
  const kept = new Set(names);
  for (const name of session.stateNames) {
    if (!kept.has(name)) session.writeState(name, new Float32Array(sizeOf(session.stateShape(name))));
  }
}

/** The state that evaluations look at. */
function judgedState(session: Session, name: string): string {
  const average = averageName(name);
  return session.stateNames.includes(average) ? average : name;
}

/** Whether a tensor is the run's and not the network's. */
function isRuns(name: string): boolean {
  return name.startsWith(OPTIMIZER) || name.startsWith(AVERAGE);
}

function listed(names: readonly string[]): string {
  if (names.length === 1) return `${names[0]} is`;
  return `${names[0]} and ${names.length - 1} more are`;
}
