/** Everything a network is written with: modules, layers, functions, initialisers. */
export * from "./containers.ts";
export * from "./functional.ts";
export * from "./init.ts";
export * from "./layers.ts";
export * from "./module.ts";
export type { Pair } from "../shape.ts";
export * from "./output.ts";
export { Tensor } from "./tensor.ts";
export { type ModuleCall, shapeAfter, trace, traceCalls, Tracer } from "./trace.ts";
