/** The one module: every function exported here can be named in a program. */
export { walk } from "./walk";
export * from "./arithmetic";
export * from "./batch_norm";
export * from "./batch_norm_grad";
export * from "./local_response_norm";
export * from "./max_pool";
export * from "./avg_pool";
