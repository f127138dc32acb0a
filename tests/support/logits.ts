import { loadStateDict, type MatchedStateDict } from "../../core/nn/match_state_dict.ts";
import type { Module } from "../../core/nn/mod.ts";
import { trace } from "../../core/nn/trace.ts";
import type { Shape } from "../../core/shape.ts";
import { backendFor } from "./run_op.ts";

/**
 * What a network with a file's weights makes of images, not in training. Tests that use this need `sanitizeOps: false,
 * sanitizeResources: false`.
 */
export async function logitsOf(
  model: Module,
  weights: MatchedStateDict,
  shape: Shape,
  images: ArrayLike<number>,
): Promise<number[]> {
  const session = (await backendFor()).compile({ infer: trace(model, shape, { training: false }) });
  try {
    loadStateDict(session, weights);
    session.write("infer", "x", images);
    await session.run("infer");
    return Array.from(await session.read("infer", "y"));
  } finally {
    session.dispose();
  }
}
