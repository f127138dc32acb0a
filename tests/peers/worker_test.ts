import assert from "node:assert/strict";
import { type Job, parseReply } from "../../peers/protocol.ts";
import { type Command, Missing, startWorker, WorkerFailure } from "../../peers/worker.ts";
import { fakeCommand } from "../support/fake_command.ts";

const job: Job = {
  ...{ device: "cpu", model: "", mode: "train", batch: 1, input: [3, 8, 8], classes: 2, threads: 1 },
  ...{ parameters: 0, packages: "", onnx: "" },
};

function start(what: string, patience?: number) {
  return startWorker(fakeCommand(what), job, patience);
}

Deno.test("replies are told from chatter", () => {
  assert.deepEqual(parseReply(`ready {"version": "A 1"}`), { kind: "ready", ready: { version: "A 1" } });
  assert.deepEqual(parseReply(`taken {"milliseconds": 12.5}`), { kind: "taken", milliseconds: 12.5 });
  assert.deepEqual(parseReply("missing torch"), { kind: "missing", what: "torch" });
  assert.deepEqual(parseReply("unable to see"), { kind: "unable", reason: "to see" });
  assert.deepEqual(parseReply("error E: no"), { kind: "error", reason: "E: no" });
  for (
    const line of ["", "taken", "taken by storm", "taken {}", "ready 1", "ready null", `ready {"version":`]
  ) {
    assert.equal(parseReply(line), undefined, line);
  }
});

Deno.test("a worker makes ready, and takes steps whenever it is asked", async () => {
  const worker = await start("willing");
  assert.deepEqual(worker.ready, { version: "Fake 1.0", planned: 1000 });
  assert.equal(await worker.take(1), 2.5);
  assert.equal(await worker.take(4), 10);
  if (Deno.build.os === "linux") {
    assert.ok(worker.peakResidentBytes()! > 2 ** 20);
    assert.ok(worker.processorSeconds()! > 0);
  }
  await worker.stop();
});

Deno.test("a worker that fails is told in one line, and leaves no process", async () => {
  const cases: [what: string, reason: RegExp][] = [
    ["broken", /^Error: it does not like the job$/],
    ["crashes", /^ended with code 1: .+/],
    ["killed", /^was ended by SIGKILL$/],
    ["confused", /^answered taken where ready was due$/],
  ];
  for (const [what, reason] of cases) {
    await assert.rejects(start(what), (error: Error) => {
      assert.ok(error instanceof WorkerFailure && !(error instanceof Missing), what);
      assert.match(error.message, reason);
      return true;
    });
  }
  await assert.rejects(start("silent", 300), { message: "has not answered for 0.3 seconds" });
  const tires = await start("tires");
  await assert.rejects(tires.take(1), { message: "Error: the loss is not finite" });
});

Deno.test("what is not installed is told apart from what fails", async () => {
  await assert.rejects(
    start("absent"),
    (error) => error instanceof Missing && error.message === "libfake is not installed",
  );
  const folder: Command = { program: Deno.cwd(), args: [] };
  await assert.rejects(startWorker(folder, job), (error: Error) => {
    assert.ok(error instanceof WorkerFailure && !(error instanceof Missing));
    assert.match(error.message, / cannot be started \(.+\)$/);
    return true;
  });
  const nowhere: Command = { program: "./no_such_program", args: [] };
  await assert.rejects(
    startWorker(nowhere, job),
    (error) => error instanceof Missing && error.message === "./no_such_program is not installed",
  );
});
