import assert from "node:assert/strict";
import { PickleError, readPickle } from "../../../core/format/pickle.ts";
import { numpyGlobals } from "../../../core/format/pickle_numpy.ts";
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
