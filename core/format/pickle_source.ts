/** Reads the bytes of a pickle, and the values that its instructions carry with them. */
import { latin1, PickleError } from "./pickle_value.ts";

const decoder = new TextDecoder();

/** A cursor that never passes the end. */
export class Source {
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

  /** `count` bytes of UTF-8. */
  text = (count: number) => decoder.decode(this.take(count));

  /** An integer of `count` bytes, little endian in two's complement; a bigint where it is too large for a number. */
  long(count: number): number | bigint {
    const bytes = this.take(count);
    let value = 0n;
    for (let i = bytes.length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[i]!);
    const signed = BigInt.asIntN(8 * bytes.length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

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
