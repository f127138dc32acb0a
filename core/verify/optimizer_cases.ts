/** Optimisers over several steps of given gradients: `optimizers` of ops.json. */
import type { Backend } from "../backend/backend.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { f32, type Graph } from "../graph/graph.ts";
import {
  emitUpdate,
  hyperOf,
  optimizerNames,
  type OptimizerOptions,
  optimizerStateName,
  optimizerStates,
} from "../optim/optimizer.ts";
import type { Shape } from "../shape.ts";
import { sizeOf } from "../shape.ts";
import { type Case, type Comparison, maxError, maxMagnitude, Missing } from "./case.ts";
import { signed } from "./fill.ts";
import { type Golden, GoldenError, type GoldenTensor, list } from "./golden.ts";
import { updateTolerance } from "./tolerance.ts";

export interface OptimizerEntry {
  /** Such as `optim/sgd_nesterov`: the optimiser is what comes before the first underscore. */
  readonly name: string;
  /** PyTorch's options by name. */
  readonly defaults: Readonly<Record<string, unknown>> & { readonly lr: number };
}

/** Options that change how PyTorch computes a step but not what. */
const HOW = ["foreach", "fused", "capturable", "differentiable"];

const optionNames: Record<OptimizerOptions["name"], readonly string[]> = {
  sgd: ["momentum", "dampening", "nesterov", "weight_decay"],
  adam: ["betas", "eps", "weight_decay"],
  adamw: ["betas", "eps", "weight_decay"],
  rmsprop: ["alpha", "eps", "momentum", "weight_decay"],
};

/** A case for each entry of `optimizers`. */
export function optimizerCases(golden: Golden): Case[] {
  return list<OptimizerEntry>(golden, "ops", "optimizers").map((entry) => ({
    name: entry.name,
    run: (backend) => runOptimizer(golden, entry, backend),
  }));
}

async function runOptimizer(golden: Golden, entry: OptimizerEntry, backend: Backend): Promise<Comparison[]> {
  const options = optionsOf(entry);
  const steps = stepsOf(golden, entry.name);
  const { shape } = steps[0]!;
  const session = backend.compile({ step: graphOf(options, shape) });
  try {
    session.writeState("p", signed(`${entry.name}/p`, shape, 1));
    for (const state of optimizerStates(options)) {
      session.writeState(optimizerStateName(state, "p"), new Float32Array(sizeOf(shape)));
    }
    const comparisons: Comparison[] = [];
    for (const [step, { data }] of steps.entries()) {
      session.write("step", "g", signed(`${entry.name}/g${step}`, shape, 1));
      session.write("step", "hyper", hyperOf(options, step, entry.defaults.lr));
      await session.run("step");
      const error = maxError(await session.readState("p"), data);
      comparisons.push({ what: `step ${step}`, error, tolerance: updateTolerance(maxMagnitude(data)) });
    }
    return comparisons;
  } finally {
    session.dispose();
  }
}

/** The optimiser of an entry; throws `Missing` for one, or for an option, that does not exist. */
export function optionsOf({ name, defaults }: OptimizerEntry): OptimizerOptions {
  const word = name.slice(name.lastIndexOf("/") + 1).split(/[^a-z]/)[0];
  const kind = optimizerNames.find((known) => known === word);
  if (!kind) throw new Missing(`there is no optimiser ${word}`);
  const options: Record<string, unknown> = { name: kind };
  for (const [option, value] of Object.entries(defaults)) {
    if (option === "lr" || HOW.includes(option)) continue;
    if (optionNames[kind].includes(option)) options[option] = value;
    else if (value) throw new Missing(`${kind} has no option ${option}`);
  }
  return options as unknown as OptimizerOptions;
}

/** The parameter after each step, as many as the folder holds. */
function stepsOf(golden: Golden, name: string): GoldenTensor[] {
  const steps: GoldenTensor[] = [];
  for (;;) {
    const found = golden.tensors.get(`${name}/step${steps.length}`);
    if (!found) break;
    steps.push(found);
  }
  if (steps.length === 0) throw new GoldenError(`the golden files lack the tensor ${name}/step0`);
  return steps;
}

function graphOf(options: OptimizerOptions, shape: Shape): Graph {
  const builder = new GraphBuilder();
  const parameter = builder.state("p", f32(shape));
  const gradient = builder.input("g", f32(shape));
  const [loss] = builder.emit("fill", [], { shape: [], value: 0 });
  const [factor] = builder.emit("fill", [], { shape: [], value: 1 });
  emitUpdate(builder, options, { loss: loss!, factor: factor! }, [{ name: "p", parameter, gradient }]);
  return builder.finish();
}
