/** A file of TensorBoard's events in a run's folder: `tensorboard --logdir runs` shows all runs. */
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { startEvent, type Summary, summaryEvent, versionEvent } from "../core/tensorboard/event.ts";
import { frame } from "../core/tensorboard/record.ts";
import { reason } from "./files.ts";
import { namesIn } from "./run_folder.ts";

export interface EventFile {
  /** Appends values of a step. A crash costs the last record at most, which readers notice. */
  write(step: number, summary: Summary): Promise<void>;
}

const NAME = /^events\.out\.tfevents\.(\d{10})\./;

/** TensorBoard reads files in the order of the seconds in their names, also where the clock was turned back meanwhile. */
async function newName(folder: string, seconds: number): Promise<string> {
  const others = (await namesIn(folder)).flatMap((name) => NAME.exec(name)?.[1] ?? []);
  const newest = Math.max(...others.map((digits) => Number(digits) + 1), Math.floor(seconds));
  return `events.out.tfevents.${newest.toString().padStart(10, "0")}.strata.${
    crypto.randomUUID().slice(0, 8)
  }`;
}

/** A new file, from `step` on; those of earlier parts of a run stay. It is made with its first values. */
export function createEventFile(folder: string, step: number): EventFile {
  const begun = Date.now() / 1000;
  let path: string | undefined;

  async function append(path: string, ...events: Uint8Array[]): Promise<void> {
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
      if (path !== undefined) return await append(path, event);
      path = join(folder, await newName(folder, begun));
      await append(path, versionEvent(begun), startEvent(step, begun), event);
    },
  };
}
