/**
 * The safetensors format: 8 bytes of header length (u64, little endian), a JSON header, then the tensors' bytes without
 * gaps. https://github.com/huggingface/safetensors
 */
import { UserError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import { bytesOf, type Dtype, type DtypeArray, dtypes, isArrayOf, isDtype, viewAs } from "./dtype.ts";

/** A tensor in a file: its array type follows from its dtype. */
export type SafeTensor = {
  [D in Dtype]: {
    readonly dtype: D;
    readonly shape: Shape;
    readonly data: DtypeArray<D>;
  };
}[Dtype];

/** All that is in a file. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

const LENGTH_BYTES = 8;
const METADATA = "__metadata__";

/**
 * Reads a whole file's bytes. The tensors are views of `bytes` wherever alignment allows, so that nothing large is copied.
 * `file` is what errors call it. Throws `UserError` where the bytes are not a whole safetensors file.
 *
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const bias = { dtype: "F32", shape: [2], data: Float32Array.of(0.5, -1) } as const;
 * const bytes = writeSafetensors(new Map([["bias", bias]]), { by: "me" });
 * const { metadata, tensors } = readSafetensors(bytes, "bias.safetensors");
 * assert.equal(metadata.by, "me");
 * assert.deepEqual(tensors.get("bias"), bias);
 * ```
 */
export function readSafetensors(bytes: Uint8Array, file = "safetensors"): Safetensors {
  const fail = (what: string): never => {
    throw new UserError(`${file}: ${what}`);
  };
  if (bytes.length < LENGTH_BYTES) {
    fail(
      `${bytes.length} bytes are too few for a safetensors file; the file is truncated or of another format`,
    );
  }
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const room = bytes.length - LENGTH_BYTES;
  if (headerBytes > BigInt(room)) {
    fail(
      `the header's length is given as ${headerBytes} bytes, but ${room} follow; the file is truncated or of another format`,
    );
  }
  const dataStart = LENGTH_BYTES + Number(headerBytes);
  const data = bytes.subarray(dataStart);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, dataStart), fail);

  const tensors = new Map<string, SafeTensor>();
  const extents: { name: string; begin: number; end: number }[] = [];
  for (const [name, info] of Object.entries(header)) {
    if (name === METADATA) continue;
    const { dtype, shape, begin, end } = parseInfo(name, info, fail);
    if (end > data.length) {
      fail(
        `tensor "${name}" ends at byte ${end} of the data, which has ${data.length}; the file is truncated`,
      );
    }
    extents.push({ name, begin, end });
    tensors.set(name, { dtype, shape, data: viewAs(dtype, data.subarray(begin, end)) } as SafeTensor);
  }

  extents.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of extents) {
    if (begin !== covered) {
      fail(
        `tensor "${name}" starts at byte ${begin} of the data, expected ${covered}: tensors must follow each other without gaps or overlap`,
      );
    }
    covered = end;
  }
  if (covered !== data.length) fail(`${data.length - covered} bytes follow the last tensor, expected none`);
  return { metadata: parseMetadata(header[METADATA], fail), tensors };
}

type Fail = (what: string) => never;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    // Some decoders refuse shared memory, so the header (never large) is copied.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.slice());
    header = JSON.parse(text);
  } catch {
    return fail("the header is not valid JSON; the file is corrupt or of another format");
  }
  if (!isObject(header)) {
    return fail("the header is not a JSON object; the file is corrupt or of another format");
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) fail(`the header has "${repeated}" twice`);
  return header;
}

/** `JSON.parse` keeps the last of repeated keys in silence; this finds the first repetition. The text is valid JSON. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === "{") open.push(new Set());
    else if (json[at] === "}") open.pop();
    else if (json[at] === '"') {
      const end = endOfString(json, at);
      if (isKey(json, end)) {
        const name = JSON.parse(json.slice(at, end)) as string;
        const keys = open.at(-1)!;
        if (keys.has(name)) return name;
        keys.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Behind the quote that ends the string. A loop: on a string of megabytes a regular expression has no stack left. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Whether the string that ends here is a key. */
function isKey(json: string, end: number): boolean {
  let at = end;
  while (" \t\n\r".includes(json[at] ?? "x")) at++;
  return json[at] === ":";
}

function parseMetadata(metadata: unknown, fail: Fail): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    return fail(`${METADATA} must map names to strings`);
  }
  return metadata as Record<string, string>;
}

function parseInfo(name: string, info: unknown, fail: Fail) {
  if (!isObject(info)) {
    return fail(`tensor "${name}" is described by ${JSON.stringify(info)}, expected an object`);
  }
  const { dtype, shape, data_offsets: offsets } = info;
  if (!isDtype(dtype)) {
    return fail(`tensor "${name}" has dtype ${JSON.stringify(dtype)}, readable are ${dtypes.join(", ")}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`tensor "${name}" has shape ${JSON.stringify(shape)}, expected a list of whole numbers`);
  }
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!isCount(begin) || !isCount(end) || begin > end) {
    return fail(`tensor "${name}" has data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`);
  }
  const expected = sizeOf(shape) * bytesOf(dtype);
  if (end - begin !== expected) {
    fail(
      `tensor "${name}" has ${end - begin} bytes, expected ${expected} for ${dtype} ${formatShape(shape)}`,
    );
  }
  return { dtype, shape: shape as number[], begin, end };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * The file as parts to be written one after another: the header, then views of the tensors' own memory. Nothing is
 * copied, so the tensors must not change until the parts are written. The header is padded to a multiple of 8 bytes and
 * the widest dtypes come first, so that every tensor is aligned in the file.
 */
export function safetensorsParts(
  tensors: Iterable<readonly [string, SafeTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const entries = [...tensors];
  checkEntries(entries);
  entries.sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);

  // A null prototype, so that no tensor's name means anything to JavaScript.
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
  let offset = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    header[name] = { dtype, shape, data_offsets: [offset, offset += data.byteLength] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(LENGTH_BYTES + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - LENGTH_BYTES), true);
  head.set(json, LENGTH_BYTES);
  return [
    head,
    ...entries.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}

/** The file in one piece; `safetensorsParts` spares this copy. */
export function writeSafetensors(
  tensors: Iterable<readonly [string, SafeTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const parts = safetensorsParts(tensors, metadata);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function checkEntries(entries: readonly (readonly [string, SafeTensor])[]): void {
  const names = new Set<string>();
  for (const [name, { dtype, shape, data }] of entries) {
    if (name === METADATA || names.has(name)) throw new Error(`safetensors: the name "${name}" is taken`);
    names.add(name);
    if (!isArrayOf(dtype, data)) throw new Error(`safetensors: "${name}" is not ${dtype}`);
    if (sizeOf(shape) !== data.length) {
      throw new Error(
        `safetensors: "${name}" has ${data.length} numbers, its shape ${formatShape(shape)} another count`,
      );
    }
  }
}
