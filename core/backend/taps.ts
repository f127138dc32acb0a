/** Which taps of a filter see which pixels: what every backend makes of a convolution. */
import type { ConvAttrs } from "../ops/conv.ts";

/** One place of a convolution's window: its offset in the image that is read, and its index in the filter's kH × kW. */
export interface Tap {
  readonly dy: number;
  readonly dx: number;
  readonly place: number;
}

type Extents2 = readonly [height: number, width: number];

/** Those of the forward pass, in the filter's order. */
export function forwardTaps(
  { padding: [top, left], dilation }: ConvAttrs,
  [height, width]: Extents2,
): Tap[] {
  return Array.from({ length: height * width }, (_, place) => ({
    dy: Math.floor(place / width) * dilation[0] - top,
    dx: (place % width) * dilation[1] - left,
    place,
  }));
}

/** The input pixels y + i · stride, x + j · stride, for i below `rows` and j below `columns`, and the taps that reach them. */
export interface Phase {
  readonly y: number;
  readonly x: number;
  readonly rows: number;
  readonly columns: number;
  readonly taps: readonly Tap[];
}

/**
 * With a stride of s the input's pixels fall into s × s phases, each of which meets its own taps of the kernel. Each phase
 * is a convolution of dy with stride 1, so that nothing is multiplied by inserted zeros.
 */
export function phasesOf(
  { stride, padding, dilation }: ConvAttrs,
  [kernelHeight, kernelWidth]: Extents2,
  [height, width]: Extents2,
): Phase[] {
  const phases: Phase[] = [];
  for (let y = 0; y < Math.min(stride[0], height); y++) {
    for (let x = 0; x < Math.min(stride[1], width); x++) {
      const down = phaseTaps(kernelHeight, y, stride[0], padding[0], dilation[0]);
      const across = phaseTaps(kernelWidth, x, stride[1], padding[1], dilation[1]);
      phases.push({
        ...{ y, x, rows: Math.ceil((height - y) / stride[0]), columns: Math.ceil((width - x) / stride[1]) },
        taps: down.flatMap((r) =>
          across.map((s) => ({ dy: r.shift, dx: s.shift, place: r.index * kernelWidth + s.index }))
        ),
      });
    }
  }
  return phases;
}

/**
 * Along one axis, which taps of the kernel reach the input pixels phase, phase + stride, … and where in dy they look:
 * the i-th of these pixels meets tap r at output i + (phase + before − r · dilation) / stride, if that is whole.
 * In rising order of place, so that neighbours in dy are read in one go.
 */
function phaseTaps(kernel: number, phase: number, stride: number, before: number, dilation: number) {
  return Array.from({ length: kernel }, (_, index) => ({ index, shift: phase + before - index * dilation }))
    .filter(({ shift }) => shift % stride === 0)
    .map(({ index, shift }) => ({ index, shift: shift / stride }))
    .reverse();
}
