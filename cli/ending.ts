/** What is said at the end of a run: where its best weights are, and how to go on. */
import { join } from "node:path";
import { progressOf } from "../host/going_back.ts";
import { BEST } from "../host/run_folder.ts";
import { models } from "../models/registry.ts";
import { nameOf, percent } from "./figures.ts";
import type { KeeperOptions } from "./keeper.ts";
import type { Settings } from "./settings/settings.ts";

/** Why a run ended. */
export type Ending = "epochs" | "patience" | "max_steps" | "max_time" | "signal" | "not finite" | "error";

/** The lines, for a run whose checkpoint to go on from is there if `resumable`. */
export async function describeEnding(
  ending: Ending,
  { trainer: { progress }, options, config, output }: KeeperOptions,
  resumable: boolean,
): Promise<string[]> {
  const best = join(output, BEST);
  // Better ones may have come, and could not be saved.
  const saved = await progressOf(best);
  const { best_score, best_epoch } = saved ?? progress;
  const lines: string[] = [];
  if (best_epoch > 0) {
    const weights = saved ? `; weights in ${best}` : "";
    const { score } = options.task;
    const name = score === "accuracy" ? "" : `${nameOf(score)} `;
    lines.push(`Best: ${name}${percent(best_score)} in epoch ${best_epoch}${weights}`);
  }
  lines.push(`All of the run is in ${output}`);
  if (resumable) {
    // Code is not taken from a checkpoint.
    const own = Object.hasOwn(models, config.model) ? "" : ` --model ${quoted(config.model)}`;
    lines.push(`Go on with: deno task train --resume ${quoted(output)}${own}${more(ending, config)}`);
  }
  return lines;
}

/** The flags that let a run go on where it ended. */
function more(ending: Ending, { epochs, patience, max_steps, lr }: Settings): string {
  if (ending === "epochs") return ` --epochs ${2 * epochs}`;
  if (ending === "patience") return ` --patience ${2 * patience}`;
  if (ending === "max_steps") return ` --max-steps ${2 * max_steps}`;
  if (ending === "not finite") return ` --lr ${Number((lr / 10).toPrecision(3))}`;
  return "";
}

/** For a shell, where the path has characters that mean something to it. */
function quoted(path: string): string {
  return /^[\w./~:@%+=-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
