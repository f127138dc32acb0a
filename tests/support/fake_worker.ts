/** A worker that speaks the protocol of peers/protocol.ts and does what its argument says. */
import { createInterface } from "node:readline";
import process from "node:process";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
await lines.next(); // The job.
const [what] = Deno.args;
const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

say("a library says hello");
if (what === "absent") say("missing libfake");
else if (what === "unable") say("unable it sees no GPU");
else if (what === "broken") say("error Error: it does not like the job");
else if (what === "crashes") throw new Error("out of luck");
else if (what === "killed") process.kill(process.pid, "SIGKILL");
else if (what === "confused") say(`taken {"milliseconds": 1}`);
else if (what !== "silent") say(`ready {"version": "Fake 1.0", "planned": 1000}`);
for await (const line of lines) {
  const [, steps] = /^take (\d+)$/.exec(line) ?? [];
  if (what === "tires") say("error Error: the loss is not finite");
  else if (steps) say(`still here\ntaken {"milliseconds": ${2.5 * Number(steps)}}`);
}
