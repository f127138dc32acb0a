/** Tiny files in CIFAR-10's formats. Plane byte j of record i is (7i + j) mod 251. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
// @ts-types="npm:@types/tar-stream@3.1.4"
import { pack } from "tar-stream";

const IMAGE = 3072;

function planeByte(record: number, j: number): number {
  return (7 * record + j) % 251;
}

/** What a reader must make of the records: `[N, 32, 32, 3]`. */
export function interleavedImages(count: number): Uint8Array {
  return Uint8Array.from({ length: count * IMAGE }, (_, at) => {
    const [record, inside] = [Math.floor(at / IMAGE), at % IMAGE];
    return planeByte(record, (inside % 3) * 1024 + Math.floor(inside / 3));
  });
}

export function binaryBatch(labels: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(labels.flatMap((label, i) => [label, ...planes(i)]));
}

/** A pickle as Python 2 wrote the official ones: protocol 2, strings that are bytes. */
export function python2Batch(labels: readonly number[]): Uint8Array<ArrayBuffer> {
  const data = labels.flatMap((_, i) => planes(i));
  return Uint8Array.from([
    ...[0x80, 2, ...ascii("}q\x01(")],
    ...[...string("batch_label"), ...ascii("q\x02"), ...string("training batch 1 of 5"), ...ascii("q\x03")],
    ...[...string("labels"), ...ascii("q\x04]q\x05("), ...labels.flatMap((label) => [...ascii("K"), label])],
    ...ascii("e"),
    ...[
      ...string("data"),
      ...ascii("q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08"),
    ],
    ...[...ascii("K\x00"), 0x85, ...string("b"), 0x87, ...ascii("Rq\x09(K\x01")],
    ...[...ascii("K"), labels.length, ...ascii("M\x00\x0c"), 0x86, ...ascii("cnumpy\ndtype\n")],
    ...[...string("u1"), ...ascii("K\x00K\x01"), 0x87, ...ascii("R(K\x03"), ...string("|"), ...ascii("NNN")],
    ...[...ascii("J"), 255, 255, 255, 255, ...ascii("J"), 255, 255, 255, 255, ...ascii("K\x00tb"), 0x89],
    ...[...ascii("T"), ...new Uint8Array(Uint32Array.of(data.length).buffer), ...data, ...ascii("tbu.")],
  ]);
}

export async function tarGz(files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array<ArrayBuffer>> {
  const archive = pack();
  for (const [name, bytes] of Object.entries(files)) archive.entry({ name }, Buffer.from(bytes));
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return new Uint8Array(gzipSync(Buffer.concat(chunks)));
}

function planes(record: number): number[] {
  return Array.from({ length: IMAGE }, (_, j) => planeByte(record, j));
}

function ascii(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}

function string(text: string): number[] {
  return [0x55, text.length, ...ascii(text)];
}
