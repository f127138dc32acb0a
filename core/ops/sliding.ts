/** Windows that slide over an image: what convolutions and pools have in common. */
import { expectWhole } from "./op.ts";

interface Sliding {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** Throws `Misfit` where a window of that size cannot slide like that, whatever the image. */
export function expectSliding(kernel: readonly number[], { stride, padding, dilation }: Sliding): void {
  expectWhole("the kernel's size", kernel, 1);
  expectWhole("stride", stride, 1);
  expectWhole("padding", padding, 0);
  expectWhole("dilation", dilation, 1);
}

/**
 * Extent of a convolution's or a pool's output along one axis:
 * `floor((extent + before + after - dilation·(kernel - 1) - 1) / stride) + 1`.
 */
export function slidingExtent(
  extent: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  dilation = 1,
): number {
  return Math.floor((extent + before + after - dilation * (kernel - 1) - 1) / stride) + 1;
}
