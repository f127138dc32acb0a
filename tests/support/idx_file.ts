/** An idx file of bytes, as MNIST has them. */
export function idx(shape: readonly number[], byteAt: (i: number) => number): Uint8Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const bytes = new Uint8Array(4 + 4 * shape.length + size);
  bytes.set([0, 0, 8, shape.length]);
  shape.forEach((extent, axis) => new DataView(bytes.buffer).setUint32(4 + 4 * axis, extent));
  for (let i = 0; i < size; i++) bytes[bytes.length - size + i] = byteAt(i);
  return bytes;
}
