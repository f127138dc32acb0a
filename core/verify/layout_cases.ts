/** What networks are made of: parameters, names, layers, arithmetic. Nothing is computed. The file models.json. */
import { type Module, Parameter, stateDict } from "../nn/module.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import { summarise } from "../summary/summary.ts";
import type { Case, Comparison } from "./case.ts";
import { type Golden, named } from "./golden.ts";
import { createNetwork, leafModules, type Networks } from "./networks.ts";

export interface LayoutEntry {
  /** Shapes without the batch. */
  readonly input: Shape;
  readonly output: Shape;
  readonly params: number;
  /** Of convolutions and linear layers, for one sample. */
  readonly macs: number;
  readonly state_dict: readonly (readonly [name: string, shape: Shape])[];
  /** Layers in the order in which they run; −1 stands for the batch. */
  readonly leaves: readonly Leaf[];
}

export interface Leaf {
  readonly layer: string;
  readonly output: Shape;
  readonly params: number;
}

/** A case for each network of models.json. */
export function layoutCases(golden: Golden, networks: Networks): Case[] {
  return named<LayoutEntry>(golden, "models").map(([name, entry]) => ({
    name: `layout/${name}`,
    run: () => Promise.resolve(compareLayout(name, entry, networks)),
  }));
}

function compareLayout(name: string, entry: LayoutEntry, networks: Networks): Comparison[] {
  const model = createNetwork(networks, name, entry.input, sizeOf(entry.output));
  const leaves = recordLeaves(model);
  const { output, parameters, macs } = summarise(model, [1, ...entry.input]);
  return [
    exact("output", [formatShape(output)], [formatShape([1, ...entry.output])]),
    counted("params", parameters, entry.params),
    counted("macs", macs, entry.macs),
    exact(
      "state_dict",
      stateLines(model),
      entry.state_dict.map(([key, shape]) => `${key} ${formatShape(shape)}`),
    ),
    exact("leaves", leaves.map(leafLine), entry.leaves.map(leafLine)),
  ];
}

function stateLines(model: Module): string[] {
  return [...stateDict(model)].map(([name, { shape }]) => `${name} ${formatShape(shape)}`);
}

/** Makes the model's layers write themselves down when they run, as forward hooks do in PyTorch. */
function recordLeaves(model: Module): Leaf[] {
  const leaves: Leaf[] = [];
  for (const module of leafModules(model)) {
    const forward = module.forward;
    module.forward = (...args) => {
      const y = forward(...args);
      leaves.push({ layer: module.constructor.name, output: y.shape, params: ownParams(module) });
      return y;
    };
  }
  return leaves;
}

function ownParams(module: Module): number {
  return Object.values(module).reduce(
    (sum, item) => item instanceof Parameter ? sum + sizeOf(item.shape) : sum,
    0,
  );
}

function leafLine({ layer, output, params }: Leaf): string {
  return `${layer} ${formatShape([-1, ...output.slice(1)])} ${params}`;
}

function counted(what: string, actual: number, expected: number): Comparison {
  return { what: `${what} (${actual}, not ${expected})`, error: Math.abs(actual - expected), tolerance: 0 };
}

/** The error is the number of lines that differ; the first of them is named. */
function exact(what: string, actual: readonly string[], expected: readonly string[]): Comparison {
  const places = Array.from({ length: Math.max(actual.length, expected.length) }, (_, i) => i);
  const wrong = places.filter((i) => actual[i] !== expected[i]);
  const [first] = wrong;
  if (first === undefined) return { what, error: 0, tolerance: 0 };
  const difference = `${actual[first] ?? "nothing"}, not ${expected[first] ?? "nothing"}`;
  return { what: `${what}[${first}] (${difference})`, error: wrong.length, tolerance: 0 };
}
