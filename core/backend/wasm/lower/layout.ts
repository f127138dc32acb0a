import type { Lowering } from "./lowering.ts";

const concat: Lowering<"concat"> = () => {
  throw new Error("concat: no lowering yet");
};
const slice: Lowering<"slice"> = () => {
  throw new Error("slice: no lowering yet");
};
const reshape: Lowering<"reshape"> = () => {
  throw new Error("reshape: no lowering yet");
};

export const layoutLowerings = { concat, slice, reshape };
