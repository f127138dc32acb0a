/** Everything a network is written with: modules, layers, functions, initialisers. */
export * from "./containers.ts";
export * from "./functional.ts";
export * from "./init.ts";
export * from "./layers.ts";
export * from "./module.ts";
export { Tensor } from "./tensor.ts";
export { type ModuleCall, trace, traceCalls, Tracer } from "./trace.ts";
