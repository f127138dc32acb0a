/** The stack and the memo that a pickle's instructions work on. What they make is counted. */
import { latin1, PickleError, type PickleValue } from "./pickle_value.ts";

/** Bytes of a file that allow for a part of its pickle. */
const PART_BYTES = 16;

/**
 * The most parts that the pickle of a file may have: lists, tuples, dicts, bytes, memorised values, and what functions
 * are given. An empty dict takes a byte of a pickle and 170 of memory, and a value that is memorised once can be handed to
 * functions without end; so reading takes at most 250 MB and 32 times the file's size.
 */
function mostParts(fileBytes: number): number {
  return 1_000_000 + Math.floor(fileBytes / PART_BYTES);
}

export class PickleStack {
  #values: PickleValue[] = [];
  /** What lies under each MARK. */
  readonly #outer: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();
  #parts = 0;
  readonly #most: number;

  /** `fileBytes`: of the file that the pickle is part of. */
  constructor(private readonly fileBytes: number) {
    this.#most = mostParts(fileBytes);
  }

  isEmpty(): boolean {
    return this.#values.length === 0 && this.#outer.length === 0;
  }

  push(value: PickleValue): void {
    this.#values.push(value);
  }

  /** Pushes what takes more memory than its bytes. */
  pushPart(value: PickleValue): void {
    this.#count(1);
    this.push(value);
  }

  top(): PickleValue {
    if (this.#values.length === 0) throw new PickleError("an instruction lacks its operand");
    return this.#values.at(-1)!;
  }

  pop(): PickleValue {
    const value = this.top();
    this.#values.pop();
    return value;
  }

  popMany(count: number): PickleValue[] {
    const start = this.#values.length - count;
    if (start < 0) throw new PickleError("an instruction lacks its operands");
    return this.#values.splice(start, count);
  }

  mark(): void {
    this.#count(1);
    this.#outer.push(this.#values);
    this.#values = [];
  }

  /** All that was pushed since the last mark. */
  popMark(): PickleValue[] {
    const items = this.#values, outer = this.#outer.pop();
    if (!outer) throw new PickleError("an instruction lacks its mark");
    this.#values = outer;
    return items;
  }

  /** Appends to the list on top. */
  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleError("something is appended to what is no list");
    for (const item of items) list.push(item);
  }

  /** Sets keys and values, in turn, in the dict on top. */
  setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map) || items.length % 2) {
      throw new PickleError("an item is set in what is no dict");
    }
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      this.countValue(key);
      dict.set(key instanceof Uint8Array ? latin1(key) : key, items[i + 1]!);
    }
  }

  /** Memorises what is on top; under the next number, where none is given. */
  memorise(key = this.#memo.size): void {
    this.#count(1);
    this.#memo.set(key, this.top());
  }

  recall(key: number): PickleValue {
    const value = this.#memo.get(key);
    if (value === undefined) throw new PickleError("it refers to a value that it does not have");
    return value;
  }

  /** Counts what it costs to look at all of a value once. */
  countValue(value: PickleValue): void {
    this.#count(sizeOfValue(value));
  }

  #count(more: number): void {
    this.#parts += more;
    if (this.#parts <= this.#most) return;
    throw new PickleError(
      `it has more than ${this.#most} parts, the most for a file of ${this.fileBytes} bytes (a million, and one for each ${PART_BYTES})`,
    );
  }
}

/** In parts. */
function sizeOfValue(value: PickleValue): number {
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  return typeof value === "string" || value instanceof Uint8Array ? Math.floor(value.length / PART_BYTES) : 0;
}
