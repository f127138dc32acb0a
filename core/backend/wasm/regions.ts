/** Regions of the shared memory above the control block: first fit, and the memory grows as it is needed. */
import { HEAP } from "./control.ts";

const PAGE = 65536;

/**
 * Where WebAssembly's 32-bit memory ends for us. The last page stays unused, since its end is no 32-bit address: a
 * kernel that compares with it would compare with 0.
 */
export const MEMORY_LIMIT = 65535 * PAGE;

/** All that this needs of a `WebAssembly.Memory`. */
interface Growing {
  readonly buffer: { readonly byteLength: number };
  grow(pages: number): number;
}

export interface Regions {
  /** Memory of at least `bytes`, aligned to 64 bytes; undefined where there is not that much in one piece. */
  allocate(bytes: number): number | undefined;
  free(address: number): void;
  /** Bytes of the largest region that can be had, as far as is known. */
  available(): number;
}

export function createRegions(memory: Growing): Regions {
  const taken: { start: number; end: number }[] = [];
  // Lower once the system has refused to let the memory grow.
  let limit = MEMORY_LIMIT;

  function grow(pages: number): boolean {
    try {
      memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }

  /** Lets the memory end at `end` or beyond; where it cannot, as far up as it can. */
  function reach(end: number): boolean {
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (missing <= 0 || grow(missing)) return true;
    for (let pages = missing; pages > 1;) {
      pages = Math.ceil(pages / 2);
      grow(pages);
    }
    limit = memory.buffer.byteLength;
    return false;
  }

  return {
    allocate(bytes) {
      const size = Math.max(64, Math.ceil(bytes / 64) * 64);
      let start = HEAP;
      let place = 0;
      for (; place < taken.length; place++) {
        const region = taken[place]!;
        if (start + size <= region.start) break;
        start = region.end;
      }
      const end = start + size;
      if (end > limit || !reach(end)) return undefined;
      taken.splice(place, 0, { start, end });
      return start;
    },
    free(address) {
      const place = taken.findIndex(({ start }) => start === address);
      if (place >= 0) taken.splice(place, 1);
    },
    available() {
      const starts = [...taken.map(({ start }) => start), limit];
      const ends = [HEAP, ...taken.map(({ end }) => end)];
      return Math.max(...starts.map((start, index) => start - ends[index]!));
    },
  };
}
