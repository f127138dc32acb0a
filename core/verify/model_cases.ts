/** Whole networks: evaluation, a training step, its gradients, a few more steps. The file whole_models.json. */
import type { Backend } from "../backend/backend.ts";
import type { Shape } from "../shape.ts";
import { type Case, type Comparison, maxError, maxMagnitude } from "./case.ts";
import { labels, signed } from "./fill.ts";
import { type Golden, named, tensor } from "./golden.ts";
import { measure, type Measured } from "./measure.ts";
import { createNetwork, type Networks } from "./networks.ts";
import { type Float32Errors, networkTolerances } from "./tolerance.ts";

export interface ModelEntry {
  readonly batch: number;
  /** Channels, height, width. */
  readonly input: Shape;
  readonly classes: number;
  readonly loss: number;
  /** Per parameter: L2 norm, sum, then four entries at stride ⌊n / 4⌋. */
  readonly grad: Readonly<Record<string, readonly number[]>>;
  /** Running statistics after the first step: mean, first. */
  readonly buffers: Readonly<Record<string, readonly number[]>>;
  /** Loss before each step, always on the same batch. */
  readonly sgd_losses: readonly number[] | null;
  readonly torch_float32: Float32Errors;
}

/** A case for each network of whole_models.json. */
export function modelCases(golden: Golden, networks: Networks): Case[] {
  return named<ModelEntry>(golden, "whole_models").map(([name, entry]) => ({
    name: `model/${name}`,
    run: async (backend) =>
      compareModel(golden, name, entry, await measureModel(name, entry, networks, backend)),
  }));
}

/** Runs the network of an entry. */
export function measureModel(
  name: string,
  entry: ModelEntry,
  networks: Networks,
  backend: Backend,
): Promise<Measured> {
  const { batch, input, classes, sgd_losses } = entry;
  const model = createNetwork(networks, name, input, classes);
  const shape = [batch, ...input];
  const x = signed(`${name}/x`, shape, 2);
  const target = labels(`${name}/y`, batch, classes);
  // Detectors, with other outputs than scores, have no loss of their own in these files.
  const loss = networks[name]?.outputs === undefined ? "cross entropy" : "mean square";
  return measure(model, { shape, x, target, loss, steps: sgd_losses?.length ?? 1 }, backend);
}

/** All that was measured beside the references. */
export function compareModel(
  golden: Golden,
  name: string,
  entry: ModelEntry,
  measured: Measured,
): Comparison[] {
  return [
    ...compareLogits(golden, name, entry, measured),
    ...compareGradients(entry, measured),
    ...compareBuffers(entry, measured),
    ...compareLosses(golden, name, entry, measured),
  ];
}

function compareLogits(golden: Golden, name: string, entry: ModelEntry, measured: Measured): Comparison[] {
  const limits = networkTolerances(entry.torch_float32);
  return (["logits_eval", "logits_train"] as const).map((what) => {
    const expected = tensor(golden, `${name}/${what}`).data;
    return { what, error: maxError(measured[what], expected), ...limits[what](maxMagnitude(expected)) };
  });
}

function compareGradients({ grad, torch_float32 }: ModelEntry, measured: Measured): Comparison[] {
  const limits = networkTolerances(torch_float32);
  const largestNorm = maxMagnitude(Object.values(grad).map(([norm = 0]) => norm));
  const known = Object.entries(grad).flatMap(([name, [norm = NaN, sum = NaN, ...entries]]): Comparison[] => {
    const actual = measured.grad.get(name);
    if (!actual) return [{ what: `grad ${name} (there is none)`, error: NaN, tolerance: 0 }];
    const limit = limits.gradient(norm, largestNorm, actual.fanIn);
    return [
      { what: `norm of grad ${name}`, error: Math.abs(actual.norm - norm), ...limit.norm },
      { what: `sum of grad ${name}`, error: Math.abs(actual.sum - sum), ...limit.sum },
      { what: `entries of grad ${name}`, error: maxError(actual.entries, entries), ...limit.entries },
    ];
  });
  const unknown = [...measured.grad.keys()].filter((name) => !(name in grad));
  return [...known, { what: "gradients that PyTorch does not have", error: unknown.length, tolerance: 0 }];
}

function compareBuffers({ buffers, torch_float32 }: ModelEntry, measured: Measured): Comparison[] {
  const limits = networkTolerances(torch_float32);
  return Object.entries(buffers).map(([name, expected]) => {
    const variance = maxMagnitude(buffers[name.replace(/running_mean$/, "running_var")] ?? expected);
    const scale = name.endsWith("running_mean") ? Math.sqrt(variance) : variance;
    return {
      what: name,
      error: maxError(measured.buffers.get(name) ?? [], expected),
      ...limits.buffer(scale),
    };
  });
}

function compareLosses(golden: Golden, name: string, entry: ModelEntry, { losses }: Measured): Comparison[] {
  const limits = networkTolerances(entry.torch_float32);
  const largestLogit = maxMagnitude(tensor(golden, `${name}/logits_train`).data);
  const expected = entry.sgd_losses ?? [];
  const distance = (step: number, loss: number) => Math.abs((losses[step] ?? NaN) - loss);
  return [
    { what: "loss", error: distance(0, entry.loss), ...limits.loss(entry.loss, largestLogit) },
    ...limits.sgd(expected, largestLogit).map((limit, step) => ({
      what: `sgd_losses[${step}]`,
      error: distance(step, expected[step]!),
      ...limit,
    })),
  ];
}
