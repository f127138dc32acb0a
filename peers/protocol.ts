/**
 * What passes between the bench and a worker: lines of text, so that a worker can be written in any language. It reads a
 * job as JSON and makes ready, then takes three steps for a line `take 3`, until its input ends. What steps bring back may
 * be awaited once, after the last: nobody who trains on a GPU waits for every loss. It answers with
 *
 *     ready {"version": "PyTorch 1.13.0", "planned": 1000}    what it is, and bytes it has planned for, if it plans
 *     taken {"milliseconds": 12.5}                            how long the steps took, as measured inside
 *     missing torch                                           what has to be installed first
 *     unable PyTorch 1.13.0 finds no GPU                      why it cannot do such a job here, whatever is installed
 *     error ValueError: …                                     why it gives up, in one line
 *
 * Other lines are the chatter of libraries.
 */
import type { Mode } from "../core/bench/workload.ts";

/** What a step runs on; a GPU is PyTorch's through CUDA, all others' through WebGPU. */
export type Device = "cpu" | "webgpu";

/** What is measured. */
export interface Workload {
  readonly device: Device;
  readonly model: string;
  readonly mode: Mode;
  readonly batch: number;
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
}

export interface Job extends Omit<Workload, "mode"> {
  /** `export`: write the network as an ONNX file, and be done. */
  readonly mode: Mode | "export";
  readonly classes: number;
  readonly threads: number;
  /** Trainable parameters of the network; a worker whose network has others must refuse. */
  readonly parameters: number;
  /** Folder that holds node_modules. */
  readonly packages: string;
  /** The ONNX file to read or write. */
  readonly onnx: string;
}

export interface Ready {
  readonly version: string;
  readonly planned?: number;
}

export type Reply =
  | { readonly kind: "ready"; readonly ready: Ready }
  | { readonly kind: "taken"; readonly milliseconds: number }
  | { readonly kind: "missing"; readonly what: string }
  | { readonly kind: "unable" | "error"; readonly reason: string };

/** Undefined where the line is no reply. */
export function parseReply(line: string): Reply | undefined {
  const [, kind, rest] = /^(ready|taken|missing|unable|error) (.+)$/.exec(line) ?? [];
  if (kind === "missing") return { kind, what: rest! };
  if (kind === "unable" || kind === "error") return { kind, reason: rest! };
  const value = kind === undefined ? undefined : parseObject(rest!);
  if (kind === "ready" && typeof value?.version === "string") {
    return { kind, ready: value as unknown as Ready };
  }
  if (kind === "taken" && typeof value?.milliseconds === "number") {
    return { kind, milliseconds: value.milliseconds };
  }
  return undefined;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
