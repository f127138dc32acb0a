import { sizeOf } from "../../../shape.ts";
import { address, type Lowering } from "./lowering.ts";

const mix_images: Lowering<"mix_images"> = (lower, { inputs: [x, mix], outputs: [y] }) => {
  const [samples, channels, height, width] = y!.shape as [number, number, number, number];
  lower.call("mix_images", address(x), address(mix), address(y), samples, height, width, channels);
};

const flip: Lowering<"flip"> = (lower, { inputs: [x], outputs: [y] }) => {
  const { shape } = y!;
  lower.call("flip", address(x), address(y), shape[0]!, sizeOf(shape.slice(1)));
};

export const mixLowerings = { mix_images, flip };
