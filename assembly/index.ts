/** The one module: every function exported here can be named in a program. */
export { walk } from "./walk";
export * from "./activation";
export * from "./arithmetic";
export * from "./batch_norm";
export * from "./batch_norm_grad";
export * from "./local_response_norm";
export * from "./max_pool";
export * from "./avg_pool";
export * from "./cross_entropy";
export * from "./image";
export * from "./layout";
export * from "./random";
export * from "./softmax";
export * from "./update";
export * from "./gemm";
export * from "./gemm_limits";
export * from "./sums";
