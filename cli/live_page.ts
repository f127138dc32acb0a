/** `train --dashboard`: shows a run on a page that is served to this machine. */
import type { Pace } from "../core/train/stopwatch.ts";
import type { TrainingEvent } from "../core/train/trainer.ts";
import type { Status } from "../dashboard/protocol.ts";
import { followRun, type RunOptions } from "../dashboard/run_state.ts";
import { serveDashboard } from "../host/dashboard.ts";
import { pageFiles } from "../host/dashboard_files.ts";
import { STOPPED } from "./signals.ts";

/**
 * Time between two updates: 10 s on two threads. A browser on the same machine takes 50 to 80 ms of a thread for each;
 * every 5 s, that and what it takes by itself were 0.7 to 1.3 % of two threads.
 */
const UPDATE_MILLISECONDS = Math.max(500, 20_000 / navigator.hardwareConcurrency);

export interface LivePage {
  readonly url: string;
  /** Takes in an event. */
  show(event: TrainingEvent, pace: Pace): void;
  /** Tells the pages how the run ended, by its exit code, and closes. */
  end(code: number): Promise<void>;
}

/** Serves the page at `port`, 0 for a free one. Throws `UserError` where it is taken. */
export function openLivePage(port: number, options: RunOptions): LivePage {
  const run = followRun(options);
  const server = serveDashboard(port, { files: pageFiles, snapshot: run.whole, picture: run.picture });
  let sentAt = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function update(): void {
    clearTimeout(timer);
    timer = undefined;
    if (server.pages > 0) server.send(run.changes());
    sentAt = performance.now();
  }

  return {
    url: server.url,
    show(event, pace) {
      run.show(event, pace);
      timer ??= setTimeout(update, Math.max(0, sentAt + UPDATE_MILLISECONDS - performance.now()));
    },
    async end(code) {
      run.set(endOf(code));
      update();
      await server.close();
    },
  };
}

function endOf(code: number): Status {
  if (code === 0) return { phase: "finished", text: "" };
  if ((Object.values(STOPPED) as number[]).includes(code)) {
    return { phase: "stopped", text: "Stopped by a signal; --resume goes on from here." };
  }
  return { phase: "failed", text: "The run failed: its terminal says why." };
}
