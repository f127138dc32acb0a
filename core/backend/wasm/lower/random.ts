import type { Lowering } from "./lowering.ts";

const dropout: Lowering<"dropout"> = () => {
  throw new Error("dropout: no lowering yet");
};
const init_uniform: Lowering<"init_uniform"> = () => {
  throw new Error("init_uniform: no lowering yet");
};
const init_normal: Lowering<"init_normal"> = () => {
  throw new Error("init_normal: no lowering yet");
};
const init_constant: Lowering<"init_constant"> = () => {
  throw new Error("init_constant: no lowering yet");
};

export const randomLowerings = { dropout, init_uniform, init_normal, init_constant };
