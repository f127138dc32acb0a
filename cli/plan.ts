/** Plans a run, or says what would fit. */
import { OutOfMemory } from "../core/backend/backend.ts";
import { isWasm } from "../core/backend/wasm/backend.ts";
import { UserError } from "../core/errors.ts";
import { largestBatch } from "../core/train/run_graphs.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "../core/train/trainer.ts";

/** `createTrainer`, but a run that is too large is told with the largest batch that fits. */
export async function planRun(options: TrainerOptions): Promise<Trainer> {
  try {
    const trainer = createTrainer(options);
    await trainer.session.ready;
    return trainer;
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    const { message, available } = new OutOfMemory(
      error.needed,
      Math.min(error.available, freeMemory(options)),
    );
    const most = largestBatch(options, available);
    const advice = most > 0 ? `use at most ${most}` : "not even one image fits: use a smaller network";
    throw new UserError(`--batch-size ${options.batch_size}: the run ${message}; ${advice}`);
  }
}

/** Bytes that the system has left; Infinity where nobody may ask, and for GPUs. */
function freeMemory({ backend }: TrainerOptions): number {
  if (!isWasm(backend)) return Infinity;
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  return state === "granted" ? Deno.systemMemoryInfo().available : Infinity;
}
