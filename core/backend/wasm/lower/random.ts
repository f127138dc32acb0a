import { sizeOf } from "../../../shape.ts";
import { address, float, type Lowering } from "./lowering.ts";

const dropout: Lowering<"dropout"> = (lower, { inputs: [x, rng], outputs: [y], attrs: { p, stream } }) => {
  // With p = 1 nothing is kept, and 1 / 0 would turn it into NaN.
  const scale = float(p < 1 ? 1 / (1 - p) : 0);
  lower.call("dropout", address(x), address(rng), address(y), sizeOf(y!.shape), stream, float(p), scale);
};

const init_uniform: Lowering<"init_uniform"> = (lower, { inputs: [state, rng], attrs }) => {
  const { stream, low, high } = attrs;
  const count = sizeOf(state!.shape);
  lower.call("init_uniform", address(state), address(rng), count, stream, float(low), float(high - low));
};

const init_normal: Lowering<"init_normal"> = (lower, { inputs: [state, rng], attrs }) => {
  const { stream, mean, std } = attrs;
  const count = sizeOf(state!.shape);
  lower.call("init_normal", address(state), address(rng), count, stream, float(mean), float(std));
};

const init_constant: Lowering<"init_constant"> = (lower, { inputs: [state], attrs }) => {
  lower.call("fill", address(state), sizeOf(state!.shape), float(attrs.value));
};

export const randomLowerings = { dropout, init_uniform, init_normal, init_constant };
