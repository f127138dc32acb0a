/** `bench kernels`: the ops that networks are made of, one by one, against what this machine can do at the most. */
import { type Backend, OutOfMemory } from "../core/backend/backend.ts";
import {
  type ConvolutionShape,
  convolutionShapes,
  gemmCases,
  type KernelCase,
  memoryCases,
} from "../core/bench/kernel_cases.ts";
import { isWasm } from "../core/backend/wasm/backend.ts";
import { isWebgpu } from "../core/backend/webgpu/backend.ts";
import { estimate, type KernelResult, timeKernel } from "../core/bench/kernel_time.ts";
import { caseTable, convolutionTable } from "../core/bench/kernels_text.ts";
import { measureRoof, peakName, type Roof } from "../core/bench/roof.ts";
import { statisticsOf } from "../core/bench/statistics.ts";
import { workloadGraph } from "../core/bench/workload.ts";
import { UserError } from "../core/errors.ts";
import type { OptimizerOptions } from "../core/optim/optimizer.ts";
import { times } from "../core/summary/format.ts";
import { describeFlags, type Parsed, parseFlags, switchFlag, text, whole } from "./arguments.ts";
import { createBackend, deviceFlag, exactFlag } from "./backend.ts";
import { backendText, factsOf } from "./backend_facts.ts";
import { selectCases } from "./glob.ts";
import { machineOf, versions } from "./machine.ts";
import { chooseModel, type ChosenModel, modelFlags } from "./model.ts";
import { createProgress } from "./progress.ts";
import { usualOptimizer } from "./settings/schedule.ts";
import { bold, duration } from "./terminal.ts";

export const benchKernelsFlags = {
  ...modelFlags,
  model: text("NAME", "only this network, and no plain GEMM; default six networks, each with its own batch"),
  batch: whole("images a step; default what suits each network", { min: 1 }),
  only: text(
    "GLOBS",
    "only cases whose name matches one of these, such as 'gemm/*,resnet50/layer1*/forward'",
  ),
  list: switchFlag("only lists the names of the cases"),
  milliseconds: whole("to spend on each case after warming up; default 100", { min: 1 }),
  device: deviceFlag,
  exact: exactFlag,
  threads: whole("worker threads; default one a core", { min: 1, max: 256 }),
  json: switchFlag("one JSON document"),
  help: switchFlag("shows this"),
};

const HELP =
  `Times matrix products, every distinct convolution of some networks in each direction, and ops that only move
memory. Arithmetic is told as a share of what the GEMM's micro-kernel reaches on all threads when all its numbers are in
the nearest cache, on a GPU of what multiply-adds in registers reach; it is counted as the direct method has it, so that
Winograd's may pass the peak. Memory is told as a share of a copy's rate; small tensors stay in caches and may pass it. A
GPU's times are by its own clock where it has one.

  deno task bench kernels
  deno task bench kernels --model resnet50 --batch 8 --only '*/forward'
  deno task bench kernels --device webgpu --model resnet50 --batch 64

`;

/** The networks whose training is compared with PyTorch's, with batches that suit a processor and a GPU. */
const NETWORKS: readonly (readonly [name: string, cpu: number, gpu: number])[] = [
  ["resnet50", 8, 64],
  ["vgg16", 4, 32],
  ["googlenet", 8, 64],
  ["darknet53", 4, 32],
  ["vgg16_cifar", 100, 256],
  ["resnet50_layer4", 100, 256],
];

/** Of other networks. */
const [CPU_BATCH, GPU_BATCH] = [8, 64];

const GEMM_SIZES = [
  [64, 64, 64],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [1536, 1536, 1536],
  [2048, 2048, 2048],
] as const;

/** For a GPU, which takes more to be busy. */
const LARGE_GEMM = [4096, 4096, 4096] as const;

/** The second has every op that only other optimisers bring. */
const SGD = usualOptimizer("sgd");
const OTHER_OPTIMIZERS: readonly OptimizerOptions[] = [{ name: "adam" }, { name: "rmsprop", momentum: 0.9 }];

type Given = Parsed<typeof benchKernelsFlags>;

/** Runs the command; returns its exit code. */
export async function benchKernels(args: readonly string[]): Promise<number> {
  const given = parseFlags(benchKernelsFlags, args);
  if (given.help) {
    console.log(HELP + describeFlags(benchKernelsFlags).join("\n"));
    return 0;
  }
  const backend = await createBackend(given);
  try {
    const networks = await chooseNetworks(given, onGpu(backend));
    const groups = collect(networks, given.model === undefined, backend);
    const cases = selectCases(casesOf(groups), given.only);
    if (given.list) console.log(cases.map(({ name }) => name).join("\n"));
    else {
      const roof = await measureRoof(backend);
      const results = await timeAll(backend, cases, given.milliseconds ?? 100, roof);
      print(groups, results, { backend, roof }, given.json ?? false);
    }
    return 0;
  } finally {
    backend.close();
  }
}

interface Network extends ChosenModel {
  readonly batch: number;
}

/** Whether what is measured is a GPU, rather than the processor in a GPU's place. */
function onGpu(backend: Backend): boolean {
  return isWebgpu(backend) && !backend.gpu.software;
}

async function chooseNetworks(given: Given, gpu: boolean): Promise<Network[]> {
  if (given.model !== undefined) {
    const [, ...batches] = NETWORKS.find(([name]) => name === given.model) ?? ["", CPU_BATCH, GPU_BATCH];
    return [{ ...await chooseModel(given), batch: given.batch ?? batches[gpu ? 1 : 0]! }];
  }
  const own = Object.keys(modelFlags).find((name) => given[name as keyof Given] !== undefined);
  if (own) throw new UserError(`--${own} needs --model, the network that it is for`);
  return await Promise.all(
    NETWORKS.map(async ([model, ...batches]) => ({
      ...await chooseModel({ model }),
      batch: given.batch ?? batches[gpu ? 1 : 0]!,
    })),
  );
}

interface Groups {
  readonly gemms: readonly KernelCase[];
  readonly networks: readonly { readonly title: string; readonly shapes: readonly ConvolutionShape[] }[];
  readonly memory: readonly KernelCase[];
}

function collect(networks: readonly Network[], withGemm: boolean, backend: Backend): Groups {
  const graphOf = ({ model, batch, input }: Network, optimizer: OptimizerOptions) =>
    workloadGraph(model, { mode: "train", batch, input, optimizer });
  const graphs = networks.map((network) => graphOf(network, SGD));
  const others = OTHER_OPTIMIZERS.map((optimizer) => graphOf(networks[0]!, optimizer));
  return {
    gemms: withGemm ? gemmCases(onGpu(backend) ? [...GEMM_SIZES, LARGE_GEMM] : GEMM_SIZES) : [],
    networks: networks.map(({ name, input, batch }, index) => ({
      title: `${name}, ${times(input)}, batch ${batch}`,
      shapes: convolutionShapes(name, graphs[index]!),
    })),
    memory: memoryCases([...graphs, ...others].map((graph) => backend.nodesOf(graph))),
  };
}

function casesOf({ gemms, networks, memory }: Groups): KernelCase[] {
  const convolutions = networks.flatMap(({ shapes }) => shapes.flatMap(({ cases }) => Object.values(cases)));
  return [...gemms, ...convolutions, ...memory];
}

async function timeAll(
  backend: Backend,
  cases: readonly KernelCase[],
  milliseconds: number,
  roof: Roof,
): Promise<Map<string, KernelResult>> {
  const estimates = cases.map((item) => estimate(item, milliseconds, roof));
  const whole = estimates.reduce((sum, own) => sum + own, 0);
  console.error(`${cases.length} cases, about ${duration(whole / 1000)} minutes`);
  let done = 0;
  const progress = createProgress();
  const results = new Map<string, KernelResult>();
  for (const [index, item] of cases.entries()) {
    progress.show(done / whole, item.name);
    done += estimates[index]!;
    try {
      results.set(item.name, await timeKernel(backend, item, milliseconds, roof));
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      progress.stop();
      console.error(`${item.name} is left out: it ${error.message}`);
    }
  }
  progress.stop();
  if (results.size === 0) throw new UserError("no case fits into memory; take a smaller --batch");
  return results;
}

function print(
  { gemms, networks, memory }: Groups,
  results: ReadonlyMap<string, KernelResult>,
  { backend, roof }: { readonly backend: Backend; readonly roof: Roof },
  json: boolean,
): void {
  const all = [...results.values()];
  if (json) {
    const facts = factsOf(backend);
    console.log(JSON.stringify({ backend: facts, machine: machineOf(), versions, results: all }, null, 2));
    return;
  }
  const resultsOf = (cases: readonly KernelCase[]) => cases.flatMap(({ name }) => results.get(name) ?? []);
  const tables: [title: string, lines: string[]][] = [
    ["Matrix products", caseTable("M × N × K", resultsOf(gemms))],
    ...networks.map(({ title, shapes }): [string, string[]] => [
      `${title}: GFLOP/s, share of peak (W: by Winograd's method)`,
      convolutionTable(shapes, results),
    ]),
    ["Memory", caseTable("op", resultsOf(memory))],
  ];
  console.log([
    backendText(backend),
    peakText(backend, roof, all),
    ...tables.flatMap(([title, lines]) => lines.length > 0 ? ["", bold(title), ...lines] : []),
  ].join("\n"));
}

/** What stands above all cases: of a CPU beside each of them, since it changes its speed. */
function peakText(backend: Backend, roof: Roof, results: readonly KernelResult[]): string {
  const peak = `Peak of ${peakName(backend)}`;
  if (!isWasm(backend)) {
    return `${peak}: ${roof.gflops.toFixed(1)} GFLOP/s; ${roof.gigabytes.toFixed(1)} GB/s copying`;
  }
  const { min, median, max } = statisticsOf(results.map(({ roof }) => roof.gflops));
  const rates = [min, median, max].map((rate) => rate.toFixed(1)).join(", ");
  return `${peak} beside the cases: ${rates} GFLOP/s (least, median, most)`;
}
