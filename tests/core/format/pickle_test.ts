import assert from "node:assert/strict";
import { type PickleGlobals, readPickle } from "../../../core/format/pickle.ts";
import { numpyGlobals } from "../../../core/format/pickle_numpy.ts";
import { PickleError, type PickleValue } from "../../../core/format/pickle_value.ts";
import { parseStateDict } from "../../../core/format/read_state_dict.ts";
import { findTensors } from "../../../core/format/torch_checkpoint.ts";
import { torchGlobals } from "../../../core/format/torch_pickle.ts";
import { python2Batch } from "../../support/cifar_files.ts";

/** `\x80\x02` is written before the text, each letter of which is a byte. */
function read(text: string) {
  return readPickle(Uint8Array.from(`\x80\x02${text}`, (letter) => letter.charCodeAt(0)), {
    globals: numpyGlobals,
  }).value;
}

Deno.test("pickle: plain values", () => {
  assert.deepEqual(read("(NK\x05M\x01\x02J\xfe\xff\xff\xff\x88\x89t."), [null, 5, 0x201, -2, true, false]);
  assert.equal(read("G\x40\x04\x00\x00\x00\x00\x00\x00."), 2.5);
  assert.deepEqual(read("X\x02\x00\x00\x00\xc3\xa9U\x02\xe9!\x86."), ["é", Uint8Array.of(0xe9, 0x21)]);
  assert.deepEqual(read("}(U\x01aK\x01X\x01\x00\x00\x00bK\x02u."), new Map([["a", 1], ["b", 2]]));
  assert.deepEqual(read("]q\x00K\x01ah\x00K\x02a\x86."), [[1, 2], [1, 2]]);
});

Deno.test("pickle: nothing runs but what is allowed", () => {
  const dangerous = "cposix\nsystem\n(U\x04truetR.";
  assert.throws(() => read(dangerous), new PickleError("it names posix.system, which is not allowed here"));
  assert.throws(
    () => read("X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93."),
    /os\.system, which is not allowed/,
  );
  assert.throws(() => read("cnumpy\nndarray\n)R."), /numpy\.ndarray/);
  assert.throws(() => read("(cos\nsystem\no."), /os\.system/);
  assert.throws(() => read("P0\n."), /opcode 0x50 at byte 2/);
  assert.throws(() => read("K\x01)R."), /calls what is no function/);
  assert.throws(() => read("K\x01Nb."), /gives a state/);
  assert.throws(() => read("cnumpy\ndtype\nU\x02f4\x85R."), /dtype f4/);
});

Deno.test("pickle: a malformed one is a PickleError, wherever it is cut", () => {
  const whole = python2Batch([1]);
  for (let length = 0; length < whole.length; length += length < 400 ? 1 : 97) {
    assert.throws(() => readPickle(whole.subarray(0, length), { globals: numpyGlobals }).value, PickleError);
  }
  for (
    const text of [
      ".",
      "t.",
      "K\x01t.",
      "\x86.",
      "K\x01\x86.",
      "h\x07.",
      "K\x01K\x02.",
      "(K\x01.",
      "K\x01K\x01a.",
      "]K\x01s.",
      "q\x00.",
    ]
  ) {
    assert.throws(() => read(text), PickleError, JSON.stringify(text));
  }
  assert.throws(() => readPickle(Uint8Array.of(0x80, 9), { globals: numpyGlobals }).value, /protocol 9/);
});

/** Reads a pickle with PyTorch's globals; returns the error's message, and checks that it came soon. */
function refusal(bytes: Uint8Array, globals: PickleGlobals = torchGlobals): string {
  const began = performance.now();
  let message = "";
  assert.throws(() => readPickle(bytes, { globals }), (error: Error) => {
    message = error.message;
    return error instanceof PickleError;
  });
  assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
  assert.ok(message.length < 300, message);
  return message;
}

const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** `text` and then `part` again and again, in so many bytes. */
function repeated(text: string, part: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(bytesOf(text));
  for (let at = text.length; at < size; at++) bytes[at] = part.charCodeAt((at - text.length) % part.length);
  return bytes;
}

/** Tuples of the same tuple twice, 40 levels deep: as text, 2⁴⁰ letters. */
const LAUGHS = "U\x03lolq\x00" + "h\x00\x86q\x00".repeat(40);

Deno.test("pickle: values that share each other are never written out", async () => {
  const laughs = `\x80\x02${LAUGHS}`;
  assert.equal(refusal(bytesOf(`${laughs}h\x00\x93.`)), "it names a function by a list of 2 and a list of 2");
  // The same where a checkpoint's keys, PyTorch's version and storages' names are told.
  assert.throws(
    () => findTensors(read(`}${LAUGHS}K\x01s.`)),
    /^Error: it holds no state_dict, only a list of 2: save/,
  );
  const magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  const legacy = (text: string) => parseStateDict(bytesOf(magic + text), "a.pth");
  const machine = "}X\x0d\x00\x00\x00little_endian\x88s";
  await assert.rejects(legacy(`${laughs}.`), /version a list of 2, readable is 1001$/);
  await assert.rejects(
    legacy(`\x80\x02M\xe9\x03.\x80\x02${machine}.\x80\x02}.\x80\x02]${LAUGHS}a.`),
    /storage a list of 2 is not described$/,
  );
});

Deno.test("pickle: what is made is counted, so that few bytes make no mountains", () => {
  const size = 2 ** 22;
  const most = /^it has more than 1262144 parts, the most for a file of 4194304 bytes \(a million, and one/;
  for (const part of ["}", "\x94"]) {
    assert.match(refusal(repeated("\x80\x04N", part, size)), most, JSON.stringify(part));
  }
  // A list is handed to a function again and again; a text to one that copies it, and bytes as keys.
  const pairs = `]q\x00(${"K\x01K\x02\x86".repeat(10_000)}e`;
  assert.match(
    refusal(repeated(`\x80\x02${pairs}ccollections\nOrderedDict\nq\x01`, "h\x01h\x00\x85R", size)),
    most,
  );
  const letter = "a".repeat(0xffff);
  const text = `X\xff\xff\x00\x00${letter}q\x00U\x06latin1q\x01c_codecs\nencode\nq\x02`;
  assert.match(refusal(repeated(`\x80\x02${text}`, "h\x02h\x00h\x01\x86R", size), numpyGlobals), most);
  const keys = `B\xff\xff\x00\x00${letter}q\x00}`;
  assert.match(refusal(repeated(`\x80\x02${keys}`, "h\x00Ns", size)), most);
});

Deno.test("pickle: a checkpoint that has one dict many times is looked through once", () => {
  const dict = new Map<PickleValue, PickleValue>(Array.from({ length: 20_000 }, (_, i) => [i, i]));
  const began = performance.now();
  const saved = new Map<PickleValue, PickleValue>(Array.from({ length: 20_000 }, (_, i) => [i, dict]));
  assert.throws(() => findTensors(saved), /only 0, 1, 2, 3, 4 and 19995 more: save/);
  assert.ok(performance.now() - began < 2000);
});

Deno.test("pickle: V8's own limits are told as the file's fault", () => {
  const beyond = () => {
    throw new RangeError("Map maximum size exceeded");
  };
  const message = refusal(bytesOf("\x80\x02ca\nb\n)R."), new Map([["a b", beyond]]));
  assert.equal(message, "it holds more than can be read (Map maximum size exceeded)");
});
