/** Which places of an image each output of a pool sees, along one axis, and the other way round. */

export interface Span {
  readonly start: number;
  /** Beyond the last place. */
  readonly end: number;
}

export interface Window extends Span {
  /** By how much a mean over the window divides, along this axis. */
  readonly count: number;
}

export interface Sliding {
  /** Places along the axis, without padding. */
  readonly extent: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  /** Padding at the start. */
  readonly before: number;
  /** Padding at the end. */
  readonly after: number;
  readonly dilation: number;
  /** Whether padding counts in a mean. What hangs over the padding, in ceil mode, never does. */
  readonly countPadding: boolean;
}

/** Windows at equal strides, cut to the image; `start` is a tap even where the taps are apart. */
export function slidingWindows(sliding: Sliding): Window[] {
  const { extent, outputs, kernel, stride, before, after, dilation, countPadding } = sliding;
  const reach = dilation * (kernel - 1) + 1;
  return Array.from({ length: outputs }, (_, index) => {
    const first = index * stride - before;
    const start = first < 0 ? first + dilation * Math.ceil(-first / dilation) : first;
    const end = Math.max(start, Math.min(first + reach, extent));
    const counted = countPadding ? Math.min(first + reach, extent + after) - first : end - start;
    // A window on padding alone has the mean 0, whatever it divides by.
    return { start, end, count: Math.max(1, counted) };
  });
}

/** Windows that share an image of any size out among the outputs, as evenly as whole places allow. */
export function adaptiveWindows(extent: number, outputs: number): Window[] {
  return Array.from({ length: outputs }, (_, index) => {
    const start = Math.floor(index * extent / outputs);
    const end = Math.ceil((index + 1) * extent / outputs);
    return { start, end, count: end - start };
  });
}

/**
 * For each place of the image, the first window that reaches over it, and the end beyond the last. In between there may be
 * windows that do not, where taps are apart: the first tap inside the image need not move on from window to window.
 */
export function windowsOver(extent: number, windows: readonly Window[]): Span[] {
  return Array.from({ length: extent }, (_, place) => {
    const over = ({ start, end }: Window) => start <= place && place < end;
    const start = windows.findIndex(over);
    return start < 0 ? { start: 0, end: 0 } : { start, end: windows.findLastIndex(over) + 1 };
  });
}
