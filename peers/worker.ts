/** A worker as the bench has it: a process of its own, that does nothing until it is asked for steps. */
import { reason } from "../host/files.ts";
import { type Job, parseReply, type Ready, type Reply } from "./protocol.ts";
import { peakResidentBytes, processorSeconds } from "./system_figures.ts";

/** What a worker runs in. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Worker {
  readonly ready: Ready;
  /** Takes this many steps; returns the milliseconds of all together. Throws `WorkerFailure`. */
  take(steps: number): Promise<number>;
  /** Of all its threads, so far; undefined where the system does not say. */
  processorSeconds(): number | undefined;
  peakResidentBytes(): number | undefined;
  stop(): Promise<void>;
}

/** Why a worker is of no use, in one line. */
export class WorkerFailure extends Error {}

/** It takes no part here: something has to be installed first, or it cannot do such a job on this machine. */
export class Missing extends WorkerFailure {
  constructor(message: string, readonly installable = true) {
    super(message);
  }
}

/** The longest that anything may take before a worker counts as stuck. */
const PATIENCE_MILLISECONDS = 300_000;

/** Starts a worker and waits until it is ready. Throws `Missing` and `WorkerFailure`. */
export async function startWorker(
  command: Command,
  job: Job,
  patience = PATIENCE_MILLISECONDS,
): Promise<Worker> {
  const child = spawn(command);
  const input = child.stdin.getWriter();
  const lines = linesOf(child.stdout);
  const complaint = new Response(child.stderr).text();
  const encoder = new TextEncoder();

  async function stop(): Promise<void> {
    try {
      child.kill("SIGKILL"); // It has nothing to save, and may be in the middle of something.
    } catch {
      // It has ended already.
    }
    await Promise.allSettled([child.status, complaint, lines.return(), input.close()]);
  }

  async function nextReply(): Promise<Reply> {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) break;
      const reply = parseReply(value);
      if (reply) return reply;
    }
    const { code, signal } = await child.status;
    const ended = signal ? `was ended by ${signal}` : `ended with code ${code}`;
    const lastLine = (await complaint).trim().split("\n").at(-1);
    throw new WorkerFailure(lastLine ? `${ended}: ${lastLine}` : ended);
  }

  async function ask<K extends Reply["kind"]>(line: string, kind: K): Promise<Extract<Reply, { kind: K }>> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stuck = new Promise<never>((_, reject) => {
      const fail = () => reject(new WorkerFailure(`has not answered for ${patience / 1000} seconds`));
      timer = setTimeout(fail, patience);
    });
    try {
      // Who has ended already reads nothing; why it did is in its last reply.
      await input.write(encoder.encode(`${line}\n`)).catch(() => {});
      const reply = await Promise.race([nextReply(), stuck]);
      if (reply.kind === kind) return reply as Extract<Reply, { kind: K }>;
      if (reply.kind === "missing") throw new Missing(`${reply.what} is not installed`);
      if (reply.kind === "unable") throw new Missing(reply.reason, false);
      throw new WorkerFailure(
        reply.kind === "error" ? reply.reason : `answered ${reply.kind} where ${kind} was due`,
      );
    } catch (error) {
      await stop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  const { ready } = await ask(JSON.stringify(job), "ready");
  return {
    ready,
    take: async (steps) => (await ask(`take ${steps}`, "taken")).milliseconds,
    processorSeconds: () => processorSeconds(child.pid),
    peakResidentBytes: () => peakResidentBytes(child.pid),
    stop,
  };
}

function spawn({ program, args, env = {} }: Command): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Missing(`${program} is not installed`);
    throw new WorkerFailure(`${program} cannot be started (${reason(error)})`);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
