/** How far a command has come, on the error stream, so that its output stays clean: a bar on a terminal, else lines. */
import { bar, duration, megabytes } from "./terminal.ts";

const encoder = new TextEncoder();
const isTerminal = Deno.stderr.isTerminal();

/** Time between two lines where there is no terminal. */
const LOG_MILLISECONDS = 10_000;

export interface Progress {
  /** `share` of all is done (0 … 1), and `what` is next. */
  show(share: number, what: string): void;
  /** Leaves the terminal in order. */
  stop(): void;
}

/** Starts the clock by which the time left is told. */
export function createProgress(): Progress {
  const started = performance.now();
  let shown = isTerminal ? -Infinity : started;
  return {
    show(share, what) {
      const now = performance.now();
      if (now - shown < (isTerminal ? 50 : LOG_MILLISECONDS)) return;
      shown = now;
      const left = share > 0 ? `  ${duration((now - started) / 1000 * (1 / share - 1))} left` : "";
      if (!isTerminal) return console.error(`${Math.floor(100 * share)} %  ${what}${left}`);
      const line = `${bar(share)}${left}  ${what}`;
      write(`\r\x1b[K${[...line].slice(0, Deno.consoleSize().columns - 1).join("")}`);
    },
    stop() {
      if (isTerminal) write("\r\x1b[K");
    },
  };
}

/** What is told of data while it is loaded. */
export interface Shown {
  /** How many of all images have been looked at. */
  readonly onRead: (done: number, all: number) => void;
  /** How many bytes of a file are downloaded. */
  readonly progress: (received: number, total: number | undefined) => void;
}

/** Runs what looks at many files, or downloads them, and shows how far it has come. */
export async function whileReading<T>(work: (shown: Shown) => Promise<T>): Promise<T> {
  const progress = createProgress();
  let before = Infinity;
  try {
    return await work({
      onRead: (done, all) => progress.show(done / all, `image ${done} of ${all}`),
      progress(received, total) {
        const all = total === undefined ? "" : megabytes(total);
        if (received < before) {
          // Another file begins.
          progress.stop();
          console.error(`Downloading ${all || "a file"}`);
        }
        before = received;
        const share = total === undefined ? 0 : received / total;
        progress.show(share, `downloaded: ${megabytes(received)}${all && ` of ${all}`}`);
      },
    });
  } finally {
    progress.stop();
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(encoder.encode(text));
}
