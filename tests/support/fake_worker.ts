/** A worker that speaks the protocol of peers/protocol.ts and does what the job's model says. */
import { createInterface } from "node:readline";
import process from "node:process";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { model } = JSON.parse((await lines.next()).value!);
const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

say("a library says hello");
if (model === "absent") say("missing libfake");
else if (model === "broken") say("error Error: it does not like the job");
else if (model === "crashes") throw new Error("out of luck");
else if (model === "killed") process.kill(process.pid, "SIGKILL");
else if (model === "confused") say(`step {"milliseconds": 1}`);
else if (model !== "silent") say(`ready {"version": "Fake 1.0", "planned": 1000}`);
for await (const line of lines) {
  if (model === "tires") say("error Error: the loss is not finite");
  else if (line === "step") say(`still here\nstep {"milliseconds": 2.5}`);
}
