/** The one module: every function exported here can be named in a program. */
export { walk } from "./walk";
export * from "./arithmetic";
export * from "./gemm";
export * from "./sums";
