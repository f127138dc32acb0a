/** What a network takes to run and to train, as the memory planner really lays it out; nothing is allocated. */
import type { MemoryReport } from "../backend/backend.ts";
import { layOut } from "../backend/wasm/layout.ts";
import { cheapest } from "../backend/wasm/lower/method.ts";
import { ShapeError } from "../graph/builder.ts";
import { type Module, trace } from "../nn/mod.ts";
import type { OptimizerOptions } from "../optim/optimizer.ts";
import type { Shape } from "../shape.ts";
import { sessionGraphs } from "../train/graphs.ts";
import { taskOf } from "../train/task_of.ts";
import { alignColumns, twoDecimals } from "./format.ts";

export interface MemoryOptions {
  readonly optimizer: OptimizerOptions;
  readonly threads: number;
  /** Most bytes that the backend can have. */
  readonly limit: number;
}

export interface PlannedMemory {
  readonly inference: MemoryReport;
  /** As `train` plans it, evaluation included; or why the network can't be trained on this batch. */
  readonly training: MemoryReport | string;
}

/** For inputs `[N, C, H, W]`. */
export function plannedMemory(model: Module, input: Shape, options: MemoryOptions): PlannedMemory {
  const layout = {
    threads: options.threads,
    tile: 16,
    method: cheapest,
    fuse: true,
    guard: undefined,
  } as const;
  return {
    inference: layOut({ inference: trace(model, input, { training: false }) }, layout).report,
    training: unlessMisfit(() => layOut(runGraphs(model, input, options.optimizer), layout).report),
  };
}

/** The graphs of a run of `train`. */
function runGraphs(model: Module, input: Shape, optimizer: OptimizerOptions) {
  const [batch, channels, height, width] = input as [number, number, number, number];
  const plain = Array.from({ length: channels }, () => 1);
  const images = { batch, channels, height, width, mean: plain, std: plain };
  return sessionGraphs(model, { images, optimizer, task: taskOf(model) });
}

function unlessMisfit(measure: () => MemoryReport): MemoryReport | string {
  try {
    return measure();
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return error.message;
  }
}

export function memoryText(planned: PlannedMemory, batch: number, options: MemoryOptions): string {
  const { optimizer, threads, limit } = options;
  const training = `training, ${optimizer.name}`;
  const title = `Memory planned for a batch of ${batch} on ${threads} thread${threads === 1 ? "" : "s"}`;
  const row = (name: string, report: MemoryReport) => [
    `  ${name}`,
    mebibytes(report.stateBytes),
    mebibytes(report.inputBytes),
    mebibytes(report.arenaBytes),
    mebibytes(report.totalBytes),
  ];
  const rows = [
    [title, "states (MiB)", "inputs (MiB)", "results (MiB)", "total (MiB)"],
    row("inference", planned.inference),
    ...(typeof planned.training === "string" ? [] : [row(training, planned.training)]),
  ];
  const notes = typeof planned.training === "string" ? [`  ${training}: ${planned.training}`] : [];
  const most = typeof planned.training === "string" ? planned.inference : planned.training;
  if (most.totalBytes > limit) {
    notes.push(`  More than the ${mebibytes(limit)} MiB that can be had: take a smaller batch.`);
  }
  return [...alignColumns(rows, new Set([1, 2, 3, 4])), ...notes].join("\n");
}

function mebibytes(bytes: number): string {
  return twoDecimals(bytes / 1024 ** 2);
}
