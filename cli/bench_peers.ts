/** `bench peers`: Strata beside others that run the same networks on the same processor or GPU. */
import { resolve } from "node:path";
import { UserError } from "../core/errors.ts";
import { compare, type Outcome } from "../peers/compare.ts";
import { contestants, type Name, names } from "../peers/contestants.ts";
import type { Device } from "../peers/protocol.ts";
import { networks } from "../peers/networks.ts";
import { imagesPerSecond, isOurs, LEGENDS, outcomeText, summaryText, timesAsFast } from "../peers/table.ts";
import { modes, workloadsOf } from "../peers/workloads.ts";
import type { Missing } from "../peers/worker.ts";
import { statisticsOf } from "../core/bench/statistics.ts";
import { describeFlags, namesOf, oneOf, parseFlags, switchFlag, text, whole } from "./arguments.ts";
import { chooseDevice, deviceFlag } from "./backend.ts";
import { machineOf, versions } from "./machine.ts";
import { createProgress } from "./progress.ts";

export const benchPeersFlags = {
  models: namesOf(Object.keys(networks), "networks; default a choice for each mode"),
  mode: oneOf(modes, "train or infer; default both"),
  batch: whole("images a step; default what suits each network", { min: 1 }),
  device: deviceFlag,
  threads: whole("of each contestant; default one a core", { min: 1, max: 256 }),
  rounds: whole("turns of each contestant; default 5", { min: 1 }),
  only: namesOf(names, `who takes part; default all: ${names.join(", ")}`),
  python: text("FILE", "another Python, whose PyTorch takes part as torch-other"),
  "peers-dir": text("DIR", "where the npm packages are installed; default .peers"),
  json: switchFlag("one JSON document"),
  help: switchFlag("shows this"),
};

const TIMING = {
  warmup: { steps: 2, milliseconds: 1000 },
  pauseMilliseconds: 100,
  turnMilliseconds: 400,
};

const HELP =
  `Times Strata beside PyTorch, ONNX Runtime and tfjs: the same networks, batches and threads, all of them in turns.

  deno task bench peers --models resnet50 --mode train
  deno task bench peers --device webgpu --models resnet50,small_cnn --python DIR/bin/python
  deno task bench peers --mode infer --only strata-256,onnxruntime-web --json

Who is not installed is named, with what installs it, and the others run. ONNX Runtime infers only, from files that PyTorch
writes. tfjs infers resnet50 and vgg16 on its WASM backend, on one thread, since it has no others outside a browser; it
trains only small_cnn, on its JavaScript backend, since its WASM backend trains no convolutions.

With --device webgpu PyTorch runs on the same GPU through CUDA, in float32 without TF32; ONNX Runtime's and tfjs's WebGPU
backends run in Deno, on the same WebGPU as Strata. A step begins with its images in the processor's memory and ends with the
loss or the scores there; steps may overlap, and results are awaited at the end of a turn.

`;

/** Runs the command; returns its exit code. */
export async function benchPeers(args: readonly string[]): Promise<number> {
  const given = parseFlags(benchPeersFlags, args);
  if (given.help) {
    console.log(HELP + describeFlags(benchPeersFlags).join("\n"));
    return 0;
  }
  const { threads = navigator.hardwareConcurrency, rounds = 5, only = names } = given;
  const device = await chooseDevice(given);
  const place = await placeOf(device);
  const workloads = workloadsOf({ ...given, device });
  const packages = resolve(given["peers-dir"] ?? ".peers");
  const all = contestants({ device, threads, packages, python: given.python });
  const chosen = names.filter((name) => only.includes(name)).map((name) => all[name]);
  for (const { name, runs } of chosen) {
    if (given.only && !workloads.some(runs)) {
      throw new UserError(`--only ${name}: it can run nothing of what is asked for, see --help`);
    }
  }

  const missing = new Map<string, Missing>();
  const exporters = [all.torch, all["torch-other"]];
  const outcomes: Outcome[] = [];
  const progress = createProgress();
  for (const [i, workload] of workloads.entries()) {
    outcomes.push(
      await compare(workload, chosen, {
        ...{ ...TIMING, threads, rounds, packages, exporters, missing },
        progress: (share, what) => progress.show((i + share) / workloads.length, what),
      }),
    );
    progress.stop();
    if (!given.json) console.log(`${outcomeText(outcomes.at(-1)!, { threads, rounds })}\n`);
  }
  const absent = [...missing].map(([name, { message, installable }]) => ({
    name,
    reason: message,
    install: installable ? all[name as Name].install : undefined,
  }));
  if (given.json) {
    const scores = outcomes.map(figuresOf);
    const setup = { ...place.facts, versions, threads, rounds };
    console.log(JSON.stringify({ ...setup, outcomes: scores, absent }, null, 2));
  } else {
    if (outcomes.length > 1) console.log(`${summaryText(outcomes, names.filter((name) => !isOurs(name)))}\n`);
    console.log(`${LEGENDS[device]}\n${place.text}; Deno ${versions.deno}, V8 ${versions.v8}`);
    for (const { name, reason, install } of absent) {
      console.log(
        install === undefined
          ? `${name} takes no part: ${reason}`
          : `${name} is missing (${reason}): ${install}`,
      );
    }
  }
  const oursFailed = outcomes.some(({ failures }) => failures.some(({ contestant }) => isOurs(contestant)));
  return oursFailed ? 1 : 0;
}

/** Where all of it runs: for `--json`, and as a line. Throws `UserError` where there is no GPU. */
async function placeOf(device: Device) {
  const machine = machineOf();
  if (device === "cpu") return { facts: { machine }, text: machine };
  const { isSoftware, nameOf, needAdapter } = await import("../core/backend/webgpu/device.ts");
  const adapter = await needAdapter();
  const gpu = nameOf(adapter), software = isSoftware(adapter);
  const caution = software ? " (the processor in a GPU's place: these times tell nothing of a GPU's)" : "";
  return { facts: { machine, gpu, software }, text: `${machine}; ${gpu}${caution}` };
}

/** For `--json`: an outcome, with what follows from its times. */
function figuresOf(outcome: Outcome) {
  const { workload, scores, failures } = outcome;
  return {
    ...workload,
    scores: scores.map((score) => ({
      ...score,
      median: statisticsOf(score.milliseconds).median,
      images_per_second: imagesPerSecond(outcome, score),
      times_as_fast: Object.fromEntries(
        scores.filter(({ contestant }) => isOurs(contestant))
          .map((ours) => [ours.contestant, timesAsFast(ours, score)]),
      ),
    })),
    failures,
  };
}
