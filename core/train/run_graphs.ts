/** The graphs of a run, and what they take of memory. */
import type { Backend, MemoryReport } from "../backend/backend.ts";
import type { DatasetSplit, ImageSet } from "../data/dataset.ts";
import { UserError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Module } from "../nn/module.ts";
import { type BatchShape, sessionGraphs } from "./graphs.ts";
import type { StepOptions } from "./step.ts";
import type { Task } from "./task.ts";

export interface GraphOptions extends Omit<StepOptions, "ema" | "update_bytes"> {
  /** What the graphs are for; the CPU where nothing is said. */
  readonly backend?: Pick<Backend, "updateBytes">;
  readonly model: Module;
  readonly data: DatasetSplit<ImageSet>;
  readonly batch_size: number;
  readonly task: Task;
  /** The most that moving averages of the weights keep of what they are; 0 for none. */
  readonly ema_decay?: number;
}

/** The graphs by name. Throws `UserError` where the network tells another number of classes apart than the data have. */
export function runGraphs(options: GraphOptions): Record<string, Graph> {
  const { model, data, batch_size, ema_decay = 0, backend, ...rest } = options;
  const images = batchShape(data, batch_size);
  const graphs = sessionGraphs(model, {
    ...rest,
    ...backend?.updateBytes === undefined ? {} : { update_bytes: backend.updateBytes },
    images,
    ema: ema_decay > 0,
  });
  expectClasses(options.task.classes(graphs.evaluate), data);
  return graphs;
}

function expectClasses(
  classes: number,
  { train: { name, classes: { length } } }: GraphOptions["data"],
): void {
  if (classes === length) return;
  throw new UserError(
    `the network tells ${classes} classes apart, and ${name} has ${length}: ` +
      `its factory gets { num_classes: ${length} }; let its last layer take that`,
  );
}

/** What a run would take. */
export function measureRun(options: GraphOptions & { readonly backend: Backend }): MemoryReport {
  return options.backend.measure(runGraphs(options));
}

/** The largest batch that fits into `available` bytes, 0 if not even one image does. */
export function largestBatch(
  options: GraphOptions & { readonly backend: Backend },
  available: number,
): number {
  const fits = (batch_size: number) => {
    try {
      return measureRun({ ...options, batch_size }).totalBytes <= available;
    } catch {
      return false; // Too small for a batch norm, for one.
    }
  };
  let low = 0;
  let high = options.batch_size;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

export function batchShape(
  { train, normalize }: Pick<DatasetSplit<ImageSet>, "train" | "normalize">,
  batch: number,
): BatchShape {
  const { height, width, channels } = train;
  return { batch, height, width, channels, ...normalize };
}
