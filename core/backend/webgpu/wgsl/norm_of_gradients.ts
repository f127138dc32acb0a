/**
 * The norm of all gradients together, without leaving f32's range: each sum of squares is kept as (scale, Σ (g / scale)²),
 * scale a power of two near the greatest magnitude. Behind `reduceLanes`.
 */
import { onMany } from "./many.ts";

const scaled = `
/** The power of two at or below a magnitude; of 0 and of what is not finite, 1. */
fn scale_of(most: f32) -> f32 {
  let exponent = bitcast<u32>(most) & 0x7f800000u;
  if (exponent == 0u || exponent == 0x7f800000u) { return 1.0; }
  return bitcast<f32>(exponent);
}
`;

/** Numbers of a gradient that one workgroup squares. */
export const SQUARE_STRETCH = 16384;

/** parts[workgroup] = (scale, Σ (g / scale)²) of the workgroup's stretch of g. */
export const squareSums = onMany({
  roles: ["g", "parts"],
  stretch: SQUARE_STRETCH,
  helpers: scaled,
  statements: `
  var own = 0.0;
  for (var i = first + lane; i < last; i += LANES) { own = max(own, abs(read_g(t.g + i))); }
  let scale = scale_of(greatest_of(lane, own));
  var part = 0.0;
  for (var i = first + lane; i < last; i += LANES) {
    let x = read_g(t.g + i) / scale;
    part += x * x;
  }
  let sum = sum_of(lane, part);
  if (lane == 0u) {
    let at = t.parts + 2u * order;
    write_parts(at, scale);
    write_parts(at + 1u, sum);
  }`,
});

/**
 * norm = the root of all sums together, and y = factor · min(1, limit / (norm + 10⁻⁶)); NaN where the norm is not finite.
 * One workgroup. Numbers: count, limit.
 */
export const clipFactor = `
@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var own = 0.0;
  for (var i = lane; i < n.count; i += LANES) { own = max(own, read_parts(2u * i)); }
  let scale = greatest_of(lane, own);
  var part = 0.0;
  for (var i = lane; i < n.count; i += LANES) {
    let ratio = read_parts(2u * i) / scale;
    part += read_parts(2u * i + 1u) * ratio * ratio;
  }
  let sum = sum_of(lane, part);
  if (lane != 0u) { return; }
  let length = scale * sqrt(sum);
  write_norm(0u, length);
  let clipped = read_factor(0u) * min(1.0, n.limit / (length + 1e-6));
  write_y(0u, select(not_a_number(), clipped, is_finite(length)));
}
`;
