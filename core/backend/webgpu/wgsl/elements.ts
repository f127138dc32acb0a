/** Kernels that make each number from those at the same place. */

/**
 * y[i] = formula, an expression of `i`, for i below `n.count`; one invocation each. Buffers may hold vectors: then `count`
 * counts these, and the padding after the last number is computed from whatever is there.
 */
export function elements(formula: string, helpers = ""): string {
  return `${helpers}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group_index(group) * LANES + lane;
  if (i < n.count) { write_y(i, ${formula}); }
}
`;
}
