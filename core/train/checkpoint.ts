/** Checkpoints: a session's states and a run's progress, as the tensors and metadata of one safetensors file. */
import type { Session } from "../backend/backend.ts";
import { UserError } from "../errors.ts";
import type { SafeTensor, Safetensors } from "../format/safetensors.ts";
import { Counter, type Module, stateDict } from "../nn/module.ts";
import { formatShape, sameShape } from "../shape.ts";
import { hasOnlyFinite } from "./diagnose.ts";
import { NotFinite, type Progress } from "./trainer.ts";

/** What a file says of itself; `config` is the run's own business. */
export interface CheckpointHeader {
  readonly model: string;
  readonly progress: Progress;
  readonly config: unknown;
}

const FORMAT = "1";
const OPTIMIZER = "optimizer.";

/**
 * The state_dict under PyTorch's names, and with `optimizer` the optimiser's states too. Throws `NotFinite` where a
 * number is not finite: such weights are never kept.
 */
export async function toCheckpoint(
  model: Module,
  session: Session,
  header: CheckpointHeader,
  options: { readonly optimizer: boolean },
): Promise<Safetensors> {
  const tensors = new Map<string, SafeTensor>();
  const add = async (name: string) => {
    const data = await session.readState(name) as Float32Array<ArrayBuffer>;
    if (!hasOnlyFinite(data)) {
      throw new NotFinite(`${name} is not finite any more: nothing was saved; lower --lr`);
    }
    tensors.set(name, { dtype: "F32", shape: session.stateShape(name), data });
  };
  for (const [name, item] of stateDict(model)) {
    if (item instanceof Counter) {
      const data = BigInt64Array.of(BigInt(header.progress.updates));
      tensors.set(name, { dtype: "I64", shape: [], data });
    } else await add(name);
  }
  if (options.optimizer) {
    for (const name of session.stateNames) if (isOptimizers(name)) await add(name);
  }
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
 * Reads a checkpoint's header; undefined where there is none, as in a state_dict that PyTorch saved. Throws where it is
 * damaged.
 */
export function readHeader({ metadata }: Safetensors, file: string): CheckpointHeader | undefined {
  const {
    "strata.format": format,
    "strata.model": model,
    "strata.progress": progress,
    "strata.config": config,
  } = metadata;
  if (format === undefined) return undefined;
  try {
    if (format !== FORMAT || !model || !progress || !config) throw new Error("incomplete");
    return { model, progress: JSON.parse(progress), config: JSON.parse(config) };
  } catch {
    throw new UserError(`${file}: its metadata is damaged; resume from another checkpoint`);
  }
}

/** Puts a checkpoint's numbers into a session. Throws, before anything is changed, where the network is another one. */
export function restore(
  model: Module,
  session: Session,
  { tensors }: Safetensors,
  file: string,
  options: { readonly optimizer: boolean },
): void {
  const wanted = [...stateDict(model)].flatMap(([name, item]) => item instanceof Counter ? [] : [name]);
  if (options.optimizer) wanted.push(...session.stateNames.filter(isOptimizers));
  const missing = wanted.filter((name) => !tensors.has(name));
  if (missing.length > 0 && missing.every(isOptimizers) && ![...tensors.keys()].some(isOptimizers)) {
    throw new UserError(
      `${file}: holds weights only, to be tested with --evaluate-only; go on with the run from its last.safetensors`,
    );
  }
  if (missing.length > 0) {
    throw new UserError(`${file}: of another network or optimiser: ${listed(missing)} missing from it`);
  }
  for (const name of wanted) {
    const { shape, dtype } = tensors.get(name)!;
    const expected = session.stateShape(name);
    if (dtype !== "F32" || !sameShape(shape, expected)) {
      throw new UserError(
        `${file}: of another network: ${name} is ${dtype} ${formatShape(shape)} in it, and F32 ` +
          `${formatShape(expected)} here`,
      );
    }
  }
  const known = new Set(stateDict(model).keys());
  const strange = [...tensors.keys()].filter((name) => !known.has(name) && !isOptimizers(name));
  if (strange.length > 0) throw new UserError(`${file}: of another network: ${listed(strange)} unknown here`);
  for (const name of wanted) session.writeState(name, tensors.get(name)!.data as Float32Array);
}

function isOptimizers(name: string): boolean {
  return name.startsWith(OPTIMIZER);
}

function listed(names: readonly string[]): string {
  if (names.length === 1) return `${names[0]} is`;
  return `${names[0]} and ${names.length - 1} more are`;
}
