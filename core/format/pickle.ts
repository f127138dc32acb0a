/**
 * Reads the values in a Python pickle (protocols 2 to 5) and runs nothing: only plain values are built, and a function or
 * class that the pickle names must be one of those that the caller gives. What it makes is counted, see `PickleStack`.
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py describes the opcodes.
 */
import { Source } from "./pickle_source.ts";
import { PickleStack } from "./pickle_stack.ts";
import { describeValue, NotAllowed, PickleError, PickleObject, type PickleValue } from "./pickle_value.ts";

/** What a pickle may name, by `module name`: functions, and values that are handed to them. */
export type PickleGlobals = ReadonlyMap<string, PickleValue>;

export interface PickleOptions {
  readonly globals: PickleGlobals;
  /** What stands for an object that is kept outside the pickle, under this id. Without it such a pickle is refused. */
  readonly persistent?: (id: PickleValue) => PickleValue;
  /** The bytes of the file that the pickle is part of; by default it is the whole. */
  readonly fileBytes?: number;
}

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
  NEWOBJ: 0x81,
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
  const stack = new PickleStack(fileBytes);
  const lookUp = (name: string) => {
    const known = globals.get(name);
    if (known === undefined) {
      throw new NotAllowed(`it names ${name.replace(" ", ".")}, which is not allowed here`);
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
        const value = stack.pop();
        if (!stack.isEmpty()) throw new PickleError("values are left over at its end");
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
        stack.push(source.long(source.byte()));
        break;
      case OP.BINFLOAT:
        stack.push(source.float64());
        break;
      case OP.SHORT_BINSTRING:
      case OP.SHORT_BINBYTES:
        stack.pushPart(source.take(source.byte()));
        break;
      case OP.BINSTRING:
      case OP.BINBYTES:
        stack.pushPart(source.take(source.uint32()));
        break;
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        stack.pushPart(source.take(source.length64()));
        break;
      case OP.SHORT_BINUNICODE:
        stack.push(source.text(source.byte()));
        break;
      case OP.BINUNICODE:
        stack.push(source.text(source.uint32()));
        break;
      case OP.BINUNICODE8:
        stack.push(source.text(source.length64()));
        break;

      case OP.MARK:
        stack.mark();
        break;
      case OP.EMPTY_TUPLE:
      case OP.EMPTY_LIST:
        stack.pushPart([]);
        break;
      case OP.EMPTY_DICT:
        stack.pushPart(new Map());
        break;
      case OP.TUPLE:
        stack.push(stack.popMark());
        break;
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3:
        stack.pushPart(stack.popMany(op - OP.TUPLE1 + 1));
        break;
      case OP.APPEND:
        stack.append(stack.popMany(1));
        break;
      case OP.APPENDS:
        stack.append(stack.popMark());
        break;
      case OP.SETITEM:
        stack.setItems(stack.popMany(2));
        break;
      case OP.SETITEMS:
        stack.setItems(stack.popMark());
        break;

      case OP.BINPUT:
        stack.memorise(source.byte());
        break;
      case OP.LONG_BINPUT:
        stack.memorise(source.uint32());
        break;
      case OP.MEMOIZE:
        stack.memorise();
        break;
      case OP.BINGET:
      case OP.LONG_BINGET:
        stack.push(stack.recall(op === OP.BINGET ? source.byte() : source.uint32()));
        break;

      case OP.GLOBAL:
        stack.push(lookUp(`${source.line()} ${source.line()}`));
        break;
      case OP.STACK_GLOBAL: {
        const [module, name] = stack.popMany(2);
        if (typeof module !== "string" || typeof name !== "string") {
          throw new PickleError(`it names a function by ${describeValue(module)} and ${describeValue(name)}`);
        }
        stack.push(lookUp(`${module} ${name}`));
        break;
      }
      case OP.REDUCE:
      case OP.NEWOBJ: {
        const args = stack.pop();
        const callee = stack.pop();
        if (typeof callee !== "function" || !Array.isArray(args)) {
          throw new PickleError("it calls what is no function");
        }
        for (const arg of args) stack.countValue(arg);
        stack.pushPart(callee(args));
        break;
      }
      case OP.BUILD: {
        const state = stack.pop();
        const object = stack.top();
        if (object instanceof PickleObject) object.setState(state);
        // An OrderedDict's attributes, which are no items of it, do not matter here.
        else if (!(object instanceof Map)) throw new PickleError("it gives a state to a value that has none");
        break;
      }
      case OP.BINPERSID:
        if (!persistent) throw new PickleError("it refers to an object outside itself");
        stack.pushPart(persistent(stack.pop()));
        break;
      default:
        throw new PickleError(`opcode 0x${op.toString(16)} at byte ${source.at - 1} is not allowed here`);
    }
  }
}
