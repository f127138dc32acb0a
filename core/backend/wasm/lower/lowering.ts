/** What a lowering has at hand: it turns one node into kernel calls. */
import type { Node, Value } from "../../../graph/graph.ts";
import type { OpName } from "../../../ops/mod.ts";
import type { Scratch, Word } from "../../../program/program.ts";
import type { Chooser } from "./method.ts";

export interface Lower {
  /** How many threads run the program. Sizes scratch that each thread owns; results must not depend on it. */
  readonly threads: number;
  /** Columns of the GEMM's register tile: 8 with 128-bit SIMD, 16 where V8 pairs it to 256 bits. */
  readonly tile: 8 | 16;
  /** Chooses how to compute a convolution. */
  readonly method: Chooser;
  /** Appends a call of the exported kernel; the words arrive as its arguments 0, 1, … (see assembly/abi.ts). */
  call(kernel: string, ...args: Word[]): void;
  /** Memory for this node alone, aligned to 64 bytes, not cleared. */
  scratch(bytes: number): Scratch;
  /** Lets `output` be the same memory as `input`. */
  alias(output: Value, input: Value): void;
}

export type Lowering<K extends OpName> = (lower: Lower, node: Node<K>) => void;

/** The value's address. */
export function address(value: Value | undefined): Word {
  if (!value) throw new Error("Strata is at fault: a lowering asks for a value that its node lacks");
  return { value };
}

/** The value's address, or 0 for an input that the node does without. */
export function addressOrNull(value: Value | undefined): Word {
  return value ? { value } : 0;
}

export function float(value: number): Word {
  return { f32: value };
}
