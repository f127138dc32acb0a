/** The one interface between programs and what runs them. */
import type { Graph, Node } from "../graph/graph.ts";
import type { Shape } from "../shape.ts";
import type { Tuning } from "./tuning.ts";

export type NumberArray = Float32Array | Int32Array | Uint8Array;

/** What memory graphs take. */
export interface MemoryReport {
  /** Parameters, running statistics and optimiser state: kept between runs, shared by the session's graphs. */
  readonly stateBytes: number;
  readonly inputBytes: number;
  /** Results and scratch of the hungriest graph. */
  readonly arenaBytes: number;
  readonly totalBytes: number;
}

/** One kernel call of a profiled run. */
export interface KernelTime {
  readonly kernel: string;
  readonly node: Node;
  /** From the end of the call before until all threads have finished this one. */
  readonly milliseconds: number;
  /** How much of that a thread spent waiting for the others, on average. */
  readonly waiting: number;
}

/** Reads an output of the run that it belongs to. */
export type ReadOutput = (output: string) => Promise<NumberArray>;

/** Some graphs over one set of states, ready to run. All arrays are in logical (row-major, NCHW) order. */
export interface Session {
  /**
   * Settles when memory and kernels are there. Rejects, with `OutOfMemory` for one, where they cannot be had; runs then fail
   * in the same way. What is written before it settles is kept.
   */
  readonly ready: Promise<void>;
  readonly memory: MemoryReport;
  /** The states of all graphs, by name: parameters, running statistics, what the optimiser keeps. */
  readonly stateNames: readonly string[];
  stateShape(name: string): Shape;
  /** The inputs that a graph has. */
  inputNames(graph: string): readonly string[];
  /** Runs one of the graphs with the inputs written last. */
  run(graph: string): Promise<void>;
  /**
   * Begins a run of a graph with the inputs written last; it runs after those under way. Returns a function that reads its
   * outputs, which works until `depth` more runs have begun, and which throws what went wrong in the run.
   */
  begin(graph: string): Promise<ReadOutput>;
  /**
   * How many runs of a graph to have under way, so that the device never waits for a reader: 1 where a run needs its inputs
   * or outputs for itself from beginning to end.
   */
  depth(graph: string): number;
  /** Runs a graph as `run` does, and returns how long each kernel call took. */
  profile(graph: string): Promise<KernelTime[]>;
  /** Sets an input of the next run; `data` is copied. With `depth` 1, no run of the graph may be under way. */
  write(graph: string, input: string, data: ArrayLike<number>): void;
  /** An output of the last run; valid until the next one. */
  read(graph: string, output: string): Promise<NumberArray>;
  /** Sets a state, which lasts until a graph changes it; `data` is copied. No run may be under way. */
  writeState(name: string, data: ArrayLike<number>): void;
  /** A copy of a state's numbers. No run may be under way. */
  readState(name: string): Promise<NumberArray>;
  /** Gives the memory back. */
  dispose(): void;
}

/** What runs graphs: a CPU's threads or a GPU. */
export interface Backend {
  /** `wasm` or `webgpu`. */
  readonly name: string;
  /** One line for a banner: what runs, how wide, on how many threads. */
  readonly description: string;
  /** After how many bytes of gradients an update is worth while; without it, as many as a CPU's caches hold. */
  readonly updateBytes?: number;
  /** The largest number that an image between layers may have; float32's where absent. */
  readonly largest?: number;
  /** What `autotune` can choose between, see autotune.ts. */
  readonly tuning: Tuning;
  /**
   * Multiply-adds a second that it can reach at most, measured now for this many milliseconds: in the GEMM's micro-kernel on all
   * of a CPU's threads, in the registers of a GPU.
   */
  peak(milliseconds: number): Promise<number>;
  /** What `compile` would take, without taking it. */
  measure(graphs: Readonly<Record<string, Graph>>): MemoryReport;
  /** The nodes that a graph runs as, each with kernels to call: fused, and without those that only rename memory. */
  nodesOf(graph: Graph): Node[];
  /**
   * Plans and prepares graphs that share their states by name. Throws `OutOfMemory` before anything is
   * allocated, where that can be known; otherwise the session's `ready` rejects with it.
   */
  compile(graphs: Readonly<Record<string, Graph>>): Session;
  /** Ends its workers and gives all memory back; sessions can't run any more. */
  close(): void;
}

/** The graphs need more memory than the backend can have. */
export class OutOfMemory extends Error {
  /** Both in bytes. */
  constructor(readonly needed: number, readonly available: number) {
    super(`needs ${gigabytes(needed)} GB of memory, ${gigabytes(available)} GB can be had`);
  }
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

/**
 * The device that computes is gone, or has no memory left in the middle of its work: its driver failed, say, or it was taken
 * away. What it held is lost. The message is one line.
 */
export class DeviceLost extends Error {
  override readonly name = "DeviceLost";
}
