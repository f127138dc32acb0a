/** The one module: every function exported here can be named in a program. */
export { walk } from "./walk";
export * from "./activation";
export * from "./arithmetic";
export * from "./cross_entropy";
export * from "./image";
export * from "./layout";
export * from "./random";
export * from "./softmax";
export * from "./update";
export * from "./gemm";
export * from "./sums";
