import type { Lowering } from "./lowering.ts";

const sgd: Lowering<"sgd"> = () => {
  throw new Error("sgd: no lowering yet");
};
const adam: Lowering<"adam"> = () => {
  throw new Error("adam: no lowering yet");
};
const rmsprop: Lowering<"rmsprop"> = () => {
  throw new Error("rmsprop: no lowering yet");
};

export const updateLowerings = { sgd, adam, rmsprop };
