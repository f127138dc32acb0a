import type { Box } from "./box.ts";

/** A box that a network found. */
export interface Detection {
  readonly box: Box;
  /** Index of the class. */
  readonly label: number;
  /** Confidence, nominally 0 … 1. */
  readonly score: number;
}
