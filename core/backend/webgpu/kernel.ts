/**
 * What a lowering makes of a node: kernels, each a dispatch. A kernel is WGSL that knows its buffers by name only: where
 * they lie, in how many bindings, and what kind of access each has is written in front of it once memory is planned
 * (source.ts). Numbers that depend on shapes come as a uniform, so that few pipelines serve all shapes.
 */
import type { Value } from "../../graph/graph.ts";
import type { Scratch } from "../../program/program.ts";
import { GROUPS_ACROSS } from "./wgsl/header.ts";

/** The type in which a kernel sees the numbers of a buffer. */
export type Element = "f32" | "i32" | "u32" | "vec4f" | "vec4i";

export const elementBytes: Readonly<Record<Element, number>> = {
  f32: 4,
  i32: 4,
  u32: 4,
  vec4f: 16,
  vec4i: 16,
};

/** The type and bytes of the same numbers where they are kept as float16. */
export const halfElements: Readonly<Partial<Record<Element, { type: string; bytes: number }>>> = {
  f32: { type: "f16", bytes: 2 },
  vec4f: { type: "vec4<f16>", bytes: 8 },
};

/** Numbers that are known when a graph is compiled, such as the windows of a pool. */
export interface Table {
  readonly words: readonly number[];
}

/** A part of memory, in which tensors lie, see many.ts. */
export interface Window {
  readonly space: SpaceName;
  readonly offset: number;
  readonly bytes: number;
}

/** What memory is divided into, see memory.ts. */
export type SpaceName = "states" | "inputs" | "arena" | "tables";

/** A buffer of a kernel: `read_name(i)` where it is not only written, `write_name(i, value)` where it is not only read. */
export interface Bound {
  readonly item: Value | Scratch | Table | Window;
  readonly element: Element;
  readonly reads: boolean;
  readonly writes: boolean;
}

export function reads(item: Bound["item"] | undefined, element: Element = "f32"): Bound {
  return { item: known(item), element, reads: true, writes: false };
}

export function writes(item: Bound["item"] | undefined, element: Element = "f32"): Bound {
  return { item: known(item), element, reads: false, writes: true };
}

export function updates(item: Bound["item"] | undefined, element: Element = "f32"): Bound {
  return { item: known(item), element, reads: true, writes: true };
}

function known<T>(item: T | undefined): T {
  if (item === undefined) {
    throw new Error("Strata is at fault: a lowering asks for a value that its node lacks");
  }
  return item;
}

/** A number of a kernel, `n.name` in WGSL: an unsigned integer, a signed one, or a float. */
export type Constant = number | { readonly i32: number } | { readonly f32: number };

export function float(value: number): Constant {
  return { f32: value };
}

/** A number as a word of a table. */
export function bitsOf(value: Constant): number {
  if (typeof value === "number") return value;
  if ("i32" in value) return value.i32;
  const [bits] = new Int32Array(Float32Array.of(value.f32).buffer);
  return bits!;
}

/** One dispatch. */
export interface Kernel {
  /** What a profile calls it. */
  readonly kernel: string;
  /** Has the entry point `main`; see wgsl/header.ts for what it may call. */
  readonly code: string;
  readonly buffers: Readonly<Record<string, Bound>>;
  readonly numbers: Readonly<Record<string, Constant>>;
  /** Workgroups: a number of them, which `group_index` counts, or a grid. */
  readonly groups: number | readonly [number, number, number];
}

/** Invocations of a workgroup, unless a kernel needs another number. */
export const LANES = 256;

/** x and y of a grid of `count` workgroups: rows as long as one dimension may be; see `group_index`. */
export function rowsOfGroups(count: number): [number, number] {
  return [Math.min(count, GROUPS_ACROSS), Math.ceil(count / GROUPS_ACROSS)];
}

/** The workgroups that have an invocation for each of `count`. */
export function groupsFor(count: number, lanes = LANES): number {
  return Math.max(1, Math.ceil(count / lanes));
}
