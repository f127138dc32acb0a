/** What is said at the end of a run: where its best weights are, and how to go on. */
import { join } from "node:path";
import type { Progress } from "../core/train/progress.ts";
import { statIfThere } from "../host/files.ts";
import { BEST } from "../host/run_folder.ts";
import { percent } from "./report.ts";
import type { Settings } from "./settings/settings.ts";

/** Why a run ended. */
export type Ending = "epochs" | "patience" | "max_steps" | "max_time" | "signal" | "not finite" | "error";

/** The lines, for a run whose checkpoint to go on from is there if `resumable`. */
export async function describeEnding(
  ending: Ending,
  { best_accuracy, best_epoch }: Progress,
  output: string,
  settings: Settings,
  resumable: boolean,
): Promise<string[]> {
  const best = join(output, BEST);
  const lines: string[] = [];
  if (best_epoch > 0) {
    const weights = await statIfThere(best) ? `; weights in ${best}` : "";
    lines.push(`Best: ${percent(best_accuracy)} in epoch ${best_epoch}${weights}`);
  }
  lines.push(`All of the run is in ${output}`);
  if (resumable) {
    lines.push(`Go on with: deno task train --resume ${quoted(output)}${more(ending, settings)}`);
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
