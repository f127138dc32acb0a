/**
 * Reads the values in a Python pickle (protocols 2 to 5) and runs nothing: only plain values are built, and a function or
 * class that the pickle names must be one of those that the caller gives. What it makes is counted, see `mostParts`.
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py describes the opcodes.
 */

/** Tuples and lists are arrays, bytes and Python 2's strings are bytes; keys that are bytes are read as Latin-1 text. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleFunction
  | PickleObject;

/** Stands for a Python function or class. */
export type PickleFunction = (args: PickleValue[]) => PickleValue;

/** Stands for an object of some Python class. */
export abstract class PickleObject {
  /** Takes the state that follows the object in the pickle; throws `PickleError` where it has none. */
  abstract setState(state: PickleValue): void;
}

/** What a pickle may name, by `module name`: functions, and values that are handed to them. */
export type PickleGlobals = ReadonlyMap<string, PickleValue>;

export interface PickleOptions {
  readonly globals: PickleGlobals;
  /** What stands for an object that is kept outside the pickle, under this id. Without it such a pickle is refused. */
  readonly persistent?: (id: PickleValue) => PickleValue;
  /** The bytes of the file that the pickle is part of; by default it is the whole. */
  readonly fileBytes?: number;
}

/** The pickle is truncated, corrupt, or holds what is not allowed. */
export class PickleError extends Error {}

const OP = {
  MARK: 0x28, // (
  EMPTY_TUPLE: 0x29, // )
  STOP: 0x2e, // .
  BINBYTES: 0x42, // B
  SHORT_BINBYTES: 0x43, // C
  BINFLOAT: 0x47, // G
  BININT: 0x4a, // J
  BININT1: 0x4b, // K
  BININT2: 0x4d, // M
  NONE: 0x4e, // N
  REDUCE: 0x52, // R
  BINSTRING: 0x54, // T
  SHORT_BINSTRING: 0x55, // U
  BINUNICODE: 0x58, // X
  EMPTY_LIST: 0x5d, // ]
  APPEND: 0x61, // a
  BUILD: 0x62, // b
  GLOBAL: 0x63, // c
  APPENDS: 0x65, // e
  BINGET: 0x68, // h
  LONG_BINGET: 0x6a, // j
  BINPERSID: 0x51, // Q
  BINPUT: 0x71, // q
  LONG_BINPUT: 0x72, // r
  SETITEM: 0x73, // s
  TUPLE: 0x74, // t
  SETITEMS: 0x75, // u
  EMPTY_DICT: 0x7d, // }
  PROTO: 0x80,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  LONG1: 0x8a,
  SHORT_BINUNICODE: 0x8c,
  BINUNICODE8: 0x8d,
  BINBYTES8: 0x8e,
  STACK_GLOBAL: 0x93,
  MEMOIZE: 0x94,
  FRAME: 0x95,
  BYTEARRAY8: 0x96,
} as const;

/** Bytes of a file that allow for a part of its pickle. */
const PART_BYTES = 16;

/**
 * The most parts that the pickle of a file may have: lists, tuples, dicts, bytes, memorised values, and what functions
 * are given. An empty dict takes a byte of a pickle and 170 of memory, and a value that is memorised once can be handed to
 * functions without end; so reading takes at most 250 MB and 32 times the file's size.
 */
export function mostParts(fileBytes: number): number {
  return 1_000_000 + Math.floor(fileBytes / PART_BYTES);
}

/** Reads the pickle that starts at `bytes[0]`, and says where it ends. Bytes in the result are views of `bytes`. */
export function readPickle(
  bytes: Uint8Array,
  options: PickleOptions,
): { value: PickleValue; end: number } {
  try {
    return interpret(bytes, options);
  } catch (error) {
    // V8's own limits, such as 2²⁴ keys in a map.
    if (error instanceof RangeError) {
      throw new PickleError(`it holds more than can be read (${error.message})`);
    }
    throw error;
  }
}

function interpret(
  bytes: Uint8Array,
  { globals, persistent, fileBytes = bytes.length }: PickleOptions,
): { value: PickleValue; end: number } {
  const source = new Source(bytes);
  const memo = new Map<number, PickleValue>();
  const stacks: PickleValue[][] = [];
  let stack: PickleValue[] = [];

  const most = mostParts(fileBytes);
  let parts = 0;
  const count = (more: number) => {
    parts += more;
    if (parts > most) {
      throw new PickleError(
        `it has more than ${most} parts, the most for a file of ${fileBytes} bytes (a million, and one for each ${PART_BYTES})`,
      );
    }
  };
  /** Pushes what takes more memory than its bytes. */
  const pushPart = (value: PickleValue) => {
    count(1);
    stack.push(value);
  };
  const memorise = (key: number) => {
    count(1);
    memo.set(key, top());
  };
  const pop = () => {
    if (stack.length === 0) throw new PickleError("an instruction lacks its operand");
    return stack.pop()!;
  };
  const popMany = (count: number) => {
    if (stack.length < count) throw new PickleError("an instruction lacks its operands");
    return stack.splice(stack.length - count, count);
  };
  /** All that was pushed since the last MARK. */
  const popMark = () => {
    const items = stack;
    const outer = stacks.pop();
    if (!outer) throw new PickleError("an instruction lacks its mark");
    stack = outer;
    return items;
  };
  const top = () => {
    if (stack.length === 0) throw new PickleError("an instruction lacks its operand");
    return stack.at(-1)!;
  };
  const append = (items: PickleValue[]) => {
    const list = top();
    if (!Array.isArray(list)) throw new PickleError("something is appended to what is no list");
    for (const item of items) list.push(item);
  };
  const setItems = (items: PickleValue[]) => {
    const dict = top();
    if (!(dict instanceof Map) || items.length % 2) {
      throw new PickleError("an item is set in what is no dict");
    }
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      count(sizeOfValue(key));
      dict.set(key instanceof Uint8Array ? latin1(key) : key, items[i + 1]!);
    }
  };
  const lookUp = (name: string) => {
    const known = globals.get(name);
    if (known === undefined) {
      throw new PickleError(`it names ${name.replace(" ", ".")}, which is not allowed here`);
    }
    return known;
  };

  for (;;) {
    const op = source.byte();
    switch (op) {
      case OP.PROTO: {
        const protocol = source.byte();
        if (protocol < 2 || protocol > 5) throw new PickleError(`protocol ${protocol}, readable are 2 to 5`);
        break;
      }
      case OP.FRAME:
        source.length64();
        break;
      case OP.STOP: {
        const value = pop();
        if (stack.length > 0 || stacks.length > 0) throw new PickleError("values are left over at its end");
        return { value, end: source.at };
      }

      case OP.NONE:
        stack.push(null);
        break;
      case OP.NEWTRUE:
        stack.push(true);
        break;
      case OP.NEWFALSE:
        stack.push(false);
        break;
      case OP.BININT:
        stack.push(source.int32());
        break;
      case OP.BININT1:
        stack.push(source.byte());
        break;
      case OP.BININT2:
        stack.push(source.uint16());
        break;
      case OP.LONG1:
        stack.push(longOf(source.take(source.byte())));
        break;
      case OP.BINFLOAT:
        stack.push(source.float64());
        break;
      case OP.SHORT_BINSTRING:
      case OP.SHORT_BINBYTES:
        pushPart(source.take(source.byte()));
        break;
      case OP.BINSTRING:
      case OP.BINBYTES:
        pushPart(source.take(source.uint32()));
        break;
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        pushPart(source.take(source.length64()));
        break;
      case OP.SHORT_BINUNICODE:
        stack.push(utf8(source.take(source.byte())));
        break;
      case OP.BINUNICODE:
        stack.push(utf8(source.take(source.uint32())));
        break;
      case OP.BINUNICODE8:
        stack.push(utf8(source.take(source.length64())));
        break;

      case OP.MARK:
        count(1);
        stacks.push(stack);
        stack = [];
        break;
      case OP.EMPTY_TUPLE:
      case OP.EMPTY_LIST:
        pushPart([]);
        break;
      case OP.EMPTY_DICT:
        pushPart(new Map());
        break;
      case OP.TUPLE: {
        const items = popMark();
        stack.push(items);
        break;
      }
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3:
        pushPart(popMany(op - OP.TUPLE1 + 1));
        break;
      case OP.APPEND:
        append(popMany(1));
        break;
      case OP.APPENDS:
        append(popMark());
        break;
      case OP.SETITEM:
        setItems(popMany(2));
        break;
      case OP.SETITEMS:
        setItems(popMark());
        break;

      case OP.BINPUT:
        memorise(source.byte());
        break;
      case OP.LONG_BINPUT:
        memorise(source.uint32());
        break;
      case OP.MEMOIZE:
        memorise(memo.size);
        break;
      case OP.BINGET:
      case OP.LONG_BINGET: {
        const value = memo.get(op === OP.BINGET ? source.byte() : source.uint32());
        if (value === undefined) throw new PickleError("it refers to a value that it does not have");
        stack.push(value);
        break;
      }

      case OP.GLOBAL:
        stack.push(lookUp(`${source.line()} ${source.line()}`));
        break;
      case OP.STACK_GLOBAL: {
        const [module, name] = popMany(2);
        if (typeof module !== "string" || typeof name !== "string") {
          throw new PickleError(`it names a function by ${describeValue(module)} and ${describeValue(name)}`);
        }
        stack.push(lookUp(`${module} ${name}`));
        break;
      }
      case OP.REDUCE: {
        const args = pop();
        const callee = pop();
        if (typeof callee !== "function" || !Array.isArray(args)) {
          throw new PickleError("it calls what is no function");
        }
        for (const arg of args) count(sizeOfValue(arg));
        pushPart(callee(args));
        break;
      }
      case OP.BUILD: {
        const state = pop();
        const object = top();
        if (object instanceof PickleObject) object.setState(state);
        // An OrderedDict's attributes, which are no items of it, do not matter here.
        else if (!(object instanceof Map)) throw new PickleError("it gives a state to a value that has none");
        break;
      }
      case OP.BINPERSID:
        if (!persistent) throw new PickleError("it refers to an object outside itself");
        pushPart(persistent(pop()));
        break;
      default:
        throw new PickleError(`opcode 0x${op.toString(16)} at byte ${source.at - 1} is not allowed here`);
    }
  }
}

/** In a few words, whatever it is: values may hold each other. */
export function describeValue(value: PickleValue | undefined): string {
  if (typeof value === "string") return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (typeof value === "bigint") return "a large number";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dict of ${value.size}`;
  return value === undefined ? "nothing" : "an object";
}

/** What it costs to look at all of a value once, in parts. */
function sizeOfValue(value: PickleValue): number {
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  return typeof value === "string" || value instanceof Uint8Array ? Math.floor(value.length / PART_BYTES) : 0;
}

/** Text of either Python: a string, or the bytes of Python 2's string. */
export function pickleText(value: PickleValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? latin1(value) : undefined;
}

/** An integer of any length, little endian in two's complement; a bigint where it is too large for a number. */
function longOf(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[i]!);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

/** A cursor that never passes the end. */
class Source {
  at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(count: number): Uint8Array {
    const start = this.skip(count);
    return this.bytes.subarray(start, start + count);
  }

  byte = () => this.view.getUint8(this.skip(1));
  uint16 = () => this.view.getUint16(this.skip(2), true);
  int32 = () => this.view.getInt32(this.skip(4), true);
  uint32 = () => this.view.getUint32(this.skip(4), true);
  float64 = () => this.view.getFloat64(this.skip(8));
  /** Lengths beyond 2⁵³ lose digits, and end beyond the end all the same. */
  length64 = () => Number(this.view.getBigUint64(this.skip(8), true));

  /** Up to the next line feed, which is passed. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleError("it is truncated");
    const text = latin1(this.take(end - this.at));
    this.at++;
    return text;
  }

  private skip(count: number): number {
    const start = this.at;
    if (count > this.bytes.length - start) throw new PickleError("it is truncated");
    this.at += count;
    return start;
  }
}

const decoder = new TextDecoder();

function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Not `TextDecoder("latin1")`, which is Windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}
