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
  /** Storage bindings, in order, after the uniform of numbers, which is binding 0 where there are any. */
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
 * So access is decided for each GPU buffer, and what has two names has one binding: an op's operands that are the same value, or
 * the two ends of one that works in place.
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
    const half = halves.get(bound.item);
    const stored = half
      ? halfElements[bound.element]
      : { type: bound.element, bytes: elementBytes[bound.element] };
    if (!stored) throw new Error(`Strata is at fault: ${kernel.kernel} sees float16 as ${bound.element}`);
    return { name, bound, half, stored, ranges: rangesOf(bound.item) };
  });
  const written = new Set(
    named.filter(({ bound }) => bound.writes).flatMap(({ ranges }) => ranges.map(({ buffer }) => buffer)),
  );
  const first = Object.keys(numbers).length > 0 ? 1 : 0;
  const bindings: { range: Range; writable: boolean; variable: string; element: Element; each: number }[] =
    [];
  const lines: string[] = [];
  for (const { name, bound, half, stored: { type, bytes: each }, ranges } of named) {
    const parts = ranges.map((range, part): Part => {
      const twins = bindings.filter((other) => sameRange(other.range, range));
      const twin = twins.find(({ element }) => element === bound.element) ?? twins[0];
      const variable = `${name}_${part}`, writable = written.has(range.buffer);
      if (twin && (twin.element === bound.element || writable)) {
        if (!isView(bound, twin.element)) {
          throw new Error(`Strata is at fault: ${kernel.kernel} sees memory that it writes in two ways`);
        }
        return twin;
      }
      const access = writable ? "read_write" : "read";
      lines.push(
        `@group(0) @binding(${first + bindings.length}) ` +
          `var<storage, ${access}> ${variable}: array<${type}>;`,
      );
      const binding = { range, writable, variable, element: bound.element, each };
      bindings.push(binding);
      return binding;
    });
    lines.push(accessors(name, bound, half, parts, ranges[0]!.size / each));
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

/** A binding that a buffer, or a part of it, lies in. */
interface Part {
  readonly variable: string;
  readonly element: Element;
}

/** Whether a buffer can be seen through a binding of these elements: numbers that are only read, one by one or by fours. */
function isView({ element, writes }: Bound, through: Element): boolean {
  const numbers = ["f32", "vec4f"];
  return element === through || !writes && numbers.includes(element) && numbers.includes(through);
}

/** Element `i` of a part, as the buffer has it. */
function elementAt({ variable, element }: Part, wanted: Element, i: string, half: Half | undefined): string {
  if (element === wanted) return `${variable}[${i}]`;
  if (wanted === "f32") return `${variable}[(${i}) / 4u][(${i}) % 4u]`;
  const four = [0, 1, 2, 3].map((j) => `${variable}[4u * (${i}) + ${j}u]`).join(", ");
  return `${half ? "vec4<f16>" : "vec4f"}(${four})`;
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

/** A number that is read, as float32. */
function fromHalf(number: string, element: Element, { scale }: Half): string {
  return scale === 1 ? `${element}(${number})` : `${element}(${number}) * ${1 / scale}`;
}

/** A number that is written, as float16; a gradient that is too large becomes float16's largest number. */
function toHalf(number: string, element: Element, { scale }: Half): string {
  const type = halfElements[element]!.type;
  if (scale === 1) return `${type}(${number})`;
  return `${type}(${element === "f32" ? "within_half" : "four_within_half"}(${number} * ${scale}.0))`;
}

/** `read_name` and `write_name`, over the parts of a buffer that has several, of `each` elements. */
function accessors(
  name: string,
  { element, reads, writes }: Bound,
  half: Half | undefined,
  parts: readonly Part[],
  each: number,
) {
  const whole = parts.length === 1;
  const place = whole ? "i" : `i % ${each}u`;
  const read = (part: Part) => {
    const number = elementAt(part, element, place, half);
    return half ? fromHalf(number, element, half) : number;
  };
  const value = half ? toHalf("value", element, half) : "value";
  const choose = (statement: (part: Part) => string) =>
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
        choose(({ variable }) => `${variable}[${place}] = ${value};`)
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
