/** The WGSL of a kernel: declarations of what it is given, in front of its own code. */
import type { Half } from "./half.ts";
import {
  type Bound,
  type Constant,
  type Element,
  elementBytes,
  halfElements,
  type Kernel,
} from "./kernel.ts";
import { header } from "./wgsl/header.ts";

/** A range of a GPU buffer that a binding has. */
export interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** A kernel that knows its memory. */
export interface Placed {
  /** What a profile calls it. */
  readonly kernel: string;
  readonly source: string;
  /** Storage bindings, in order, behind the uniform of numbers, which is binding 0 where there are any. */
  readonly bindings: readonly {
    readonly range: Range;
    readonly writable: boolean;
    /** Bytes of an element. */
    readonly each: number;
  }[];
}

/** What a module begins with, wherever its kernel asks for it. */
const DIRECTIVE = /^enable .+;$/gm;

/**
 * Declares the kernel's numbers and buffers. `rangesOf` gives the parts of memory that a buffer lies in: more than one
 * where it is larger than a binding; then all but the last are as large as the first.
 *
 * Of a GPU buffer that a dispatch writes anywhere, WebGPU lets it bind nothing read-only; and no two bindings may overlap.
 * So access is decided for each GPU buffer, and an op that works in place has one binding under two names.
 *
 * What lies in memory as float16 (`halves`) is float32 for the kernel.
 */
export function place(
  kernel: Kernel,
  rangesOf: (item: Bound["item"]) => readonly Range[],
  halves: ReadonlyMap<Bound["item"], Half> = new Map(),
): Placed {
  const { code, buffers, numbers } = kernel;
  const named = Object.entries(buffers).map(([name, bound]) => {
    const all = rangesOf(bound.item);
    const half = halves.get(bound.item);
    const stored = half
      ? halfElements[bound.element]
      : { type: bound.element, bytes: elementBytes[bound.element] };
    if (!stored) throw new Error(`Strata is at fault: ${kernel.kernel} sees float16 as ${bound.element}`);
    return { name, bound, half, stored, ranges: bound.part === undefined ? all : [all[bound.part]!] };
  });
  const written = new Set(
    named.filter(({ bound }) => bound.writes).flatMap(({ ranges }) => ranges.map(({ buffer }) => buffer)),
  );
  const first = Object.keys(numbers).length > 0 ? 1 : 0;
  const bindings: { range: Range; writable: boolean; variable: string; type: string; each: number }[] = [];
  const lines: string[] = [];
  for (const { name, bound, half, stored: { type, bytes: each }, ranges } of named) {
    const variables = ranges.map((range, part) => {
      const twins = bindings.filter((other) => sameRange(other.range, range));
      const twin = twins.find((other) => other.type === type);
      if (twin) return twin.variable;
      const variable = `${name}_${part}`, writable = written.has(range.buffer);
      if (twins.length > 0 && writable) {
        throw new Error(`Strata is at fault: ${kernel.kernel} sees memory that it writes in two ways`);
      }
      const access = writable ? "read_write" : "read";
      lines.push(
        `@group(0) @binding(${first + bindings.length}) ` +
          `var<storage, ${access}> ${variable}: array<${type}>;`,
      );
      bindings.push({ range, writable, variable, type, each });
      return variable;
    });
    lines.push(accessors(name, bound, half, variables, ranges[0]!.size / each));
  }
  const directives = new Set(code.match(DIRECTIVE));
  if (named.some(({ half }) => half)) directives.add("enable f16;");
  return {
    kernel: kernel.kernel,
    source: [...directives, declareNumbers(numbers), ...lines, header, code.replace(DIRECTIVE, "")].join(
      "\n",
    ),
    bindings,
  };
}

function sameRange(a: Range, b: Range): boolean {
  return a.buffer === b.buffer && a.offset === b.offset;
}

function declareNumbers(numbers: Kernel["numbers"]): string {
  const fields = Object.entries(numbers);
  if (fields.length === 0) return "";
  return [
    "struct Numbers {",
    ...fields.map(([name, value]) => `  ${name}: ${typeOf(value)},`),
    "}",
    "@group(0) @binding(0) var<uniform> n: Numbers;",
  ].join("\n");
}

function typeOf(value: Constant): string {
  return typeof value === "number" ? "u32" : "i32" in value ? "i32" : "f32";
}

/** What is read, as float32. */
function fromHalf(number: string, element: Element, { scale }: Half): string {
  return scale === 1 ? `${element}(${number})` : `${element}(${number}) * ${1 / scale}`;
}

/** What is written, as float16: of a gradient that is too large the largest number that there is. */
function toHalf(number: string, element: Element, { scale }: Half): string {
  const { type } = halfElements[element]!;
  if (scale === 1) return `${type}(${number})`;
  return `${type}(clamp(${number} * ${scale}.0, ${element}(-65504.0), ${element}(65504.0)))`;
}

/** `read_name` and `write_name`, over the parts of a buffer that has several, of `each` elements. */
function accessors(
  name: string,
  { element, reads, writes }: Bound,
  half: Half | undefined,
  parts: readonly string[],
  each: number,
) {
  const whole = parts.length === 1;
  const place = whole ? "i" : `i % ${each}u`;
  const read = (part: string) => half ? fromHalf(`${part}[${place}]`, element, half) : `${part}[${place}]`;
  const value = half ? toHalf("value", element, half) : "value";
  const choose = (statement: (part: string) => string) =>
    whole ? statement(parts[0]!) : [
      `switch (i / ${each}u) {`,
      ...parts.map((part, index) =>
        `    ${index + 1 < parts.length ? `case ${index}u` : "default"} { ${statement(part)} }`
      ),
      "  }",
    ].join("\n");
  return [
    reads ? `fn read_${name}(i: u32) -> ${element} {\n  ${choose((part) => `return ${read(part)};`)}\n}` : "",
    writes
      ? `fn write_${name}(i: u32, value: ${element}) {\n  ${
        choose((part) => `${part}[${place}] = ${value};`)
      }\n}`
      : "",
  ].filter((line) => line !== "").join("\n");
}

/** The bytes of a kernel's numbers, as the uniform has them. */
export function packNumbers(numbers: Kernel["numbers"], target: DataView, offset: number): void {
  Object.values(numbers).forEach((value, index) => {
    const at = offset + 4 * index;
    if (typeof value === "number") target.setUint32(at, value, true);
    else if ("i32" in value) target.setInt32(at, value.i32, true);
    else target.setFloat32(at, value.f32, true);
  });
}

/** Bytes of the uniform: whole vectors. */
export function numbersBytes(numbers: Kernel["numbers"]): number {
  return 16 * Math.ceil(Object.keys(numbers).length / 4);
}
