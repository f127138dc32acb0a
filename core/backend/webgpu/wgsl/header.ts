/** What every kernel may call. */
import { LARGEST_HALF } from "../half.ts";

/** Workgroups along x, where there are more than one dimension holds. */
export const GROUPS_ACROSS = 65535;

/**
 * WGSL lets compilers assume that there is no NaN and no infinity, so these look at bits. NaN is made at run time, since a
 * constant one is an error.
 */
export const header = `
const LANES = 256u;

/** The number of a workgroup, for kernels with more workgroups than one dimension holds: these lie in rows. */
fn group_index(group: vec3u) -> u32 {
  return group.y * ${GROUPS_ACROSS}u + group.x;
}

fn is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

/** No larger than float16's largest; what is not finite stays what it is, so that somebody notices. */
fn within_half(x: f32) -> f32 {
  return select(x, clamp(x, -${LARGEST_HALF}.0, ${LARGEST_HALF}.0), is_finite(x));
}

fn four_within_half(x: vec4f) -> vec4f {
  let finite = (bitcast<vec4u>(x) & vec4u(0x7f800000u)) != vec4u(0x7f800000u);
  return select(x, clamp(x, vec4f(-${LARGEST_HALF}.0), vec4f(${LARGEST_HALF}.0)), finite);
}

fn not_a_number() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}
`;
