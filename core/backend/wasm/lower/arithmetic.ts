import { sizeOf } from "../../../shape.ts";
import { address, float, type Lowering } from "./lowering.ts";

const add: Lowering<"add"> = (lower, { inputs: [a, b], outputs: [y] }) => {
  lower.call("add", address(a), address(b), address(y), sizeOf(y!.shape));
};

const multiply: Lowering<"multiply"> = (lower, { inputs: [a, b], outputs: [y] }) => {
  lower.call("multiply", address(a), address(b), address(y), sizeOf(y!.shape));
};

const scale: Lowering<"scale"> = (lower, { inputs: [x], outputs: [y], attrs }) => {
  lower.call("scale", address(x), address(y), sizeOf(y!.shape), float(attrs.factor));
};

const fill: Lowering<"fill"> = (lower, { outputs: [y], attrs }) => {
  lower.call("fill", address(y), sizeOf(y!.shape), float(attrs.value));
};

export const arithmeticLowerings = { add, multiply, scale, fill };
