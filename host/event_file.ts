/** A file of TensorBoard's events in a run's folder: `tensorboard --logdir runs` shows all runs. */
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { startEvent, type Summary, summaryEvent, versionEvent } from "../core/tensorboard/event.ts";
import { frame } from "../core/tensorboard/record.ts";
import { reason } from "./files.ts";

export interface EventFile {
  /** Appends values of a step. A crash costs the last record at most, which readers notice. */
  write(step: number, summary: Summary): Promise<void>;
}

/** A new file, from `step` on; those of earlier parts of a run stay. It is made with its first values. */
export function createEventFile(folder: string, step: number): EventFile {
  const begun = Date.now() / 1000;
  const seconds = Math.floor(begun).toString().padStart(10, "0");
  const path = join(folder, `events.out.tfevents.${seconds}.strata.${crypto.randomUUID().slice(0, 8)}`);
  let started = false;

  async function append(...events: Uint8Array[]): Promise<void> {
    const records = events.map(frame);
    const bytes = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const record of records) {
      bytes.set(record, offset);
      offset += record.length;
    }
    try {
      await Deno.writeFile(path, bytes, { append: true });
    } catch (error) {
      throw new UserError(`${path}: cannot be written (${reason(error)}); choose another folder`);
    }
  }

  return {
    async write(at, summary) {
      const event = summaryEvent(summary, at, Date.now() / 1000);
      if (started) return await append(event);
      started = true;
      await append(versionEvent(begun), startEvent(step, begun), event);
    },
  };
}
