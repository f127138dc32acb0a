/**
 * Reads the values in a Python pickle (protocols 2 to 5) and runs nothing: only plain values are built, and a function or
 * class that the pickle names must be one of those that the caller gives.
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

/** Reads the pickle that starts at `bytes[0]`, and says where it ends. Bytes in the result are views of `bytes`. */
export function readPickle(
  bytes: Uint8Array,
  { globals, persistent }: PickleOptions,
): { value: PickleValue; end: number } {
  const source = new Source(bytes);
  const memo = new Map<number, PickleValue>();
  const stacks: PickleValue[][] = [];
  let stack: PickleValue[] = [];

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
        stack.push(source.take(source.byte()));
        break;
      case OP.BINSTRING:
      case OP.BINBYTES:
        stack.push(source.take(source.uint32()));
        break;
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        stack.push(source.take(source.length64()));
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
        stacks.push(stack);
        stack = [];
        break;
      case OP.EMPTY_TUPLE:
      case OP.EMPTY_LIST:
        stack.push([]);
        break;
      case OP.EMPTY_DICT:
        stack.push(new Map());
        break;
      case OP.TUPLE: {
        const items = popMark();
        stack.push(items);
        break;
      }
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3:
        stack.push(popMany(op - OP.TUPLE1 + 1));
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
        memo.set(source.byte(), top());
        break;
      case OP.LONG_BINPUT:
        memo.set(source.uint32(), top());
        break;
      case OP.MEMOIZE:
        memo.set(memo.size, top());
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
        stack.push(lookUp(`${module} ${name}`));
        break;
      }
      case OP.REDUCE: {
        const args = pop();
        const callee = pop();
        if (typeof callee !== "function" || !Array.isArray(args)) {
          throw new PickleError("it calls what is no function");
        }
        stack.push(callee(args));
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
        stack.push(persistent(pop()));
        break;
      default:
        throw new PickleError(`opcode 0x${op.toString(16)} at byte ${source.at - 1} is not allowed here`);
    }
  }
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

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Not `TextDecoder("latin1")`, which is Windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
