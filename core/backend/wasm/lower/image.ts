import { address, float, type Lowering } from "./lowering.ts";

const image_batch: Lowering<"image_batch"> = (lower, { inputs: [pixels, moves], outputs: [x], attrs }) => {
  const { mean, std, crop } = attrs;
  // (pixel / 255 − mean) / std as pixel · scale + shift
  const table = mean.flatMap((average, channel) => {
    const deviation = std[channel]!;
    return [float(1 / (255 * deviation)), float(-average / deviation)];
  });
  lower.call("image_batch", address(pixels), address(moves), address(x), ...pixels!.shape, ...crop, {
    table,
  });
};

export const imageLowerings = { image_batch };
