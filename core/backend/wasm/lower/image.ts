import type { Lowering } from "./lowering.ts";

const image_batch: Lowering<"image_batch"> = () => {
  throw new Error("image_batch: no lowering yet");
};

export const imageLowerings = { image_batch };
