/**
 * Kernels on many tensors at once, such as an optimiser's step on all parameters. WebGPU has no pointers, but what the tensors
 * lie in can be bound as a whole: a window of memory. Where each tensor lies in it stands in a table. Which tensors share a
 * dispatch follows from the plan of memory: as many as windows no larger than a binding allow.
 */
import type { Value } from "../../graph/graph.ts";
import { align } from "../../program/plan.ts";
import type { Scratch } from "../../program/program.ts";
import {
  bitsOf,
  type Bound,
  type Constant,
  type Element,
  elementBytes,
  type Kernel,
  reads,
  type Window,
} from "./kernel.ts";

/** What a kernel sees of each set of tensors: `read_name(t.name + i)`, `write_name(t.name + i, value)`. */
export interface Role {
  readonly element: Element;
  readonly reads: boolean;
  readonly writes: boolean;
  /** Whether all sets have it in common: then it is not divided as the tensors are. */
  readonly shared?: boolean;
}

/** Tensors of equal sizes that belong together, such as a parameter, its gradient and its momentum. */
export interface TensorSet {
  /** In the order of the roles. */
  readonly items: readonly (Value | Scratch)[];
  /** Of the tensors that are not shared. */
  readonly bytes: number;
  /** In the order of `own`. */
  readonly numbers: readonly Constant[];
}

/** One kernel on some sets of tensors, see wgsl/many.ts. */
export interface Many {
  readonly kernel: string;
  readonly code: string;
  /** Buffers and numbers as any kernel has them. */
  readonly buffers: Readonly<Record<string, Bound>>;
  readonly numbers: Readonly<Record<string, Constant>>;
  readonly roles: Readonly<Record<string, Role>>;
  readonly sets: readonly TensorSet[];
  /** Bytes of a tensor that a workgroup takes. */
  readonly stretch: number;
}

export interface WindowLimits {
  /** Bytes of a GPU buffer, and of the largest binding. */
  readonly piece: number;
  readonly binding: number;
}

/** Workgroups for a tensor of this size. */
export function workgroupsOf(bytes: number, { stretch }: Pick<Many, "stretch">, binding: number): number {
  return partsOf(bytes, binding).reduce((sum, part) => sum + Math.ceil(part.bytes / stretch), 0);
}

/** The parts of a tensor that fit a binding. */
function partsOf(bytes: number, binding: number): { offset: number; bytes: number }[] {
  return Array.from({ length: Math.ceil(bytes / binding) }, (_, i) => {
    return { offset: i * binding, bytes: Math.min(binding, bytes - i * binding) };
  });
}

/** A part of each tensor of a set, and where they lie, in the order of the roles. */
interface Parts {
  readonly places: readonly Window[];
  readonly bytes: number;
  readonly numbers: readonly Constant[];
  /** Workgroups for the parts before. */
  readonly before: number;
}

/** Parts that share a dispatch, what each role spans, and through which windows it is seen. */
interface Together {
  readonly parts: Parts[];
  spans: readonly Window[];
  windows: readonly Window[];
}

/** The dispatches of a kernel; `placeOf` tells where everything lies. */
export function dispatchesOf(
  many: Many,
  placeOf: (item: Value | Scratch) => Window,
  limits: WindowLimits,
): Kernel[] {
  const roles = Object.values(many.roles);
  let before = 0;
  const all = many.sets.flatMap(({ items, bytes, numbers }) => {
    const whole = items.map(placeOf);
    return partsOf(bytes, limits.binding).map((part): Parts => {
      const places = whole.map((place, i) =>
        roles[i]!.shared ? place : { ...place, offset: place.offset + part.offset, bytes: part.bytes }
      );
      const own = { places, bytes: part.bytes, numbers, before };
      before += Math.ceil(part.bytes / many.stretch);
      return own;
    });
  });
  const groups: Together[] = [];
  for (const part of all) {
    if (groups.some((group) => join(group, part, roles, limits))) continue;
    groups.push({ parts: [part], spans: part.places, windows: windowsFor(part.places, roles, limits)! });
  }
  return groups.map((group) => dispatch(many, group));
}

/** Takes the part into the group, where windows can be as wide as that; returns whether. */
function join(group: Together, part: Parts, roles: readonly Role[], limits: WindowLimits): boolean {
  if (group.spans.some(({ space }, i) => space !== part.places[i]!.space)) return false;
  const spans = group.spans.map((span, i) => cover(span, part.places[i]!));
  const windows = windowsFor(spans, roles, limits);
  if (!windows) return false;
  group.parts.push(part);
  Object.assign(group, { spans, windows });
  return true;
}

/**
 * Windows for what the roles span: of a GPU buffer that is written no two bindings may overlap, so that such spans share one.
 * Undefined where one is larger than a binding, or in more than one GPU buffer.
 */
function windowsFor(
  spans: readonly Window[],
  roles: readonly Role[],
  { piece, binding }: WindowLimits,
): Window[] | undefined {
  const pieceOf = (offset: number) => Math.floor(offset / piece);
  const bufferOf = ({ space, offset }: Window) => `${space} ${pieceOf(offset)}`;
  const written = new Set(spans.filter((_, i) => roles[i]!.writes).map(bufferOf));
  const windows: Window[] = [...spans];
  for (let i = 0; i < windows.length; i++) {
    if (!written.has(bufferOf(spans[i]!))) continue;
    // The larger window may overlap with ones that the smaller did not, so begin again.
    for (let j = 0; j < windows.length; j++) {
      const [one, other] = [windows[i]!, windows[j]!];
      if (one === other || bufferOf(one) !== bufferOf(other) || !overlap(one, other)) continue;
      const both = cover(one, other);
      windows.forEach((window, k) => window === one || window === other ? windows[k] = both : window);
      j = -1;
    }
  }
  const fits = ({ offset, bytes }: Window) =>
    bytes <= binding && pieceOf(offset + Math.max(bytes, 1) - 1) === pieceOf(offset);
  return windows.every(fits) ? windows : undefined;
}

/** The window over both, in whole vectors. */
function cover(a: Window, b: Window): Window {
  const offset = Math.min(a.offset, b.offset);
  return { space: a.space, offset, bytes: Math.max(endOf(a), endOf(b)) - offset };
}

function endOf({ offset, bytes }: Window): number {
  return offset + align(bytes, 16);
}

function overlap(a: Window, b: Window): boolean {
  return a.offset < endOf(b) && b.offset < endOf(a);
}

/** One dispatch on what lies in the windows. */
function dispatch(many: Many, { parts, windows }: Together): Kernel {
  const { kernel, code, buffers, numbers, roles, stretch } = many;
  const names = Object.keys(roles), kinds = Object.values(roles);
  // The first of a set's tensors that is not shared says how its elements are counted.
  const counted = elementBytes[kinds.find(({ shared }) => !shared)!.element];
  const records: number[] = [], recordOf: number[] = [];
  for (const { places, bytes, numbers, before } of parts) {
    const at = records.length, first = recordOf.length;
    const offsets = places.map(({ offset }, i) =>
      (offset - windows[i]!.offset) / elementBytes[kinds[i]!.element]
    );
    records.push(first, before, Math.ceil(bytes / counted), ...offsets, ...numbers.map(bitsOf));
    for (let i = 0; i < Math.ceil(bytes / stretch); i++) recordOf.push(at);
  }
  const groups = recordOf.length;
  const words = [...recordOf.map((at) => groups + at), ...records];
  const bound = names.map((name, i): [string, Bound] => {
    const { element, reads, writes } = kinds[i]!;
    return [name, { item: windows[i]!, element, reads, writes }];
  });
  return {
    kernel,
    code,
    buffers: { ...buffers, table: reads({ words }, "u32"), ...Object.fromEntries(bound) },
    numbers: { groups, ...numbers },
    groups,
  };
}
