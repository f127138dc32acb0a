/** A worker's side of the protocol (see protocol.ts) for those written in JavaScript, in Deno and in Node. */
import { createRequire } from "node:module";
import { resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

function tell(kind, value) {
  process.stdout.write(`${kind} ${typeof value === "string" ? value : JSON.stringify(value)}\n`);
}

/** Requires an npm package of the job's folder of peers. Where it is not installed, says so and ends. */
export function requirePackage(job, name) {
  return createRequire(findPackage(job, name))(name);
}

/** The file that an npm package of the job's folder begins with; see `requirePackage`. */
export function findPackage(job, name) {
  try {
    return createRequire(resolve(job.packages, "package.json")).resolve(name);
  } catch {
    tell("missing", name);
    process.exit(0);
  }
}

/** Noise for a batch of images, as a loader leaves them: on a GPU each step brings them there. */
export function someImages({ batch, input }) {
  const numbers = Float32Array.from(
    { length: batch * input.reduce((a, b) => a * b) },
    () => 2 * Math.random() - 1,
  );
  return { shape: [batch, ...input], numbers };
}

/**
 * Reads the job, has it prepared, and takes as many steps as each line says.
 *
 * @param {(job: any) => Promise<{ version: string, planned?: number, take: (steps: number) => Promise<void> }>} prepare
 */
export async function serve(prepare) {
  try {
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const { take, ...ready } = await prepare(JSON.parse((await lines.next()).value));
    tell("ready", ready);
    for await (const line of lines) {
      const [, steps] = /^take ([1-9]\d*)$/.exec(line) ?? [];
      if (steps === undefined) throw new Error(`${line} is no command`);
      const start = performance.now();
      await take(Number(steps));
      tell("taken", { milliseconds: performance.now() - start });
    }
  } catch (error) {
    tell("error", String(error).split("\n", 1)[0]);
    process.exit(1);
  }
  process.exit(0); // Whatever threads a library has left.
}
