/** A growing list of 32-bit words, in blocks that each begin on a cache line. */

const LINE = 16;

export interface Words {
  /** Appends a block and returns its byte offset. */
  append(block: readonly number[]): number;
  /** The bits of a number as f32. */
  bitsOf(number: number): number;
  readonly bytes: number;
  words(): Int32Array;
}

export function createWords(): Words {
  const list: number[] = [];
  const float = new Float32Array(1);
  const bits = new Int32Array(float.buffer);
  return {
    append(block) {
      while (list.length % LINE !== 0) list.push(0);
      const offset = 4 * list.length;
      list.push(...block);
      return offset;
    },
    bitsOf(number) {
      float[0] = number;
      return bits[0]!;
    },
    get bytes() {
      return 4 * list.length;
    },
    words: () => Int32Array.from(list, (word) => word | 0),
  };
}
