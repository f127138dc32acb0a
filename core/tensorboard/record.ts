/**
 * TFRecord framing: length (u64), masked CRC-32C of the length, the bytes, masked CRC-32C of the bytes; all little
 * endian. A file is one record after another, so that a crash costs at most the last one.
 */

const LENGTH = 8;
const CRC = 4;

export function frame(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(LENGTH + CRC + data.length + CRC);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(LENGTH, masked(crc32c(record.subarray(0, LENGTH))), true);
  record.set(data, LENGTH + CRC);
  view.setUint32(LENGTH + CRC + data.length, masked(crc32c(data)), true);
  return record;
}

/** Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** CRC-32C (RFC 3720, appendix B.4), as an unsigned number. */
export function crc32c(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** TensorFlow's mask: a CRC of data that holds CRCs is weak. */
function masked(crc: number): number {
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
}
