/**
 * Philox 4×32-10 (Salmon et al. 2011), with the numbers of the CPU's kernels: number i comes from the counter (i / 4, stream,
 * step, 0), whose key is the run's seed. `rng` is i32 [4] = seed low, seed high, step, unused.
 */
import * as math from "./math.ts";

const philox = `
/** High word of a product: WGSL has no 64 bits, so by halves. */
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let middle = a_high * b_low + ((a_low * b_low) >> 16u);
  let other = a_low * b_high + (middle & 0xffffu);
  return a_high * b_high + (middle >> 16u) + (other >> 16u);
}

fn philox(key: vec2u, counter: vec4u) -> vec4u {
  var k = key;
  var c = counter;
  for (var round = 0; round < 10; round++) {
    let a = vec2u(multiply_high(0xd2511f53u, c.x), 0xd2511f53u * c.x);
    let b = vec2u(multiply_high(0xcd9e8d57u, c.z), 0xcd9e8d57u * c.z);
    c = vec4u(b.x ^ c.y ^ k.x, b.y, a.x ^ c.w ^ k.y, a.y);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

/** The numbers 4i … 4i + 3 of a stream, in [0, 1), multiples of 2⁻²⁴. */
fn uniform4(i: u32) -> vec4f {
  let key = vec2u(bitcast<u32>(read_rng(0u)), bitcast<u32>(read_rng(1u)));
  let words = philox(key, vec4u(i, n.stream, bitcast<u32>(read_rng(2u)), 0u));
  return vec4f(words >> vec4u(8u)) * (1.0 / 16777216.0);
}
`;

/** For `elements`: x · scale where the uniform number is p or more, elsewhere 0. Numbers: stream, p, scale. */
export const dropout = {
  helpers: philox,
  formula: "select(vec4f(), read_x(i) * n.scale, uniform4(i) >= vec4f(n.p))",
};

/** For `elements`: offset + factor · uniform. Numbers: stream, offset, factor. */
export const uniform = { helpers: philox, formula: "n.offset + n.factor * uniform4(i)" };

/**
 * For `elements`: offset + factor · normal, from pairs of uniform numbers (Box & Muller 1958): √(−2 ln(1 − u)) times cosine and
 * sine of 2π·v. 1 − u is in (0, 1], so the logarithm is finite.
 */
export const normal = {
  helpers: `${philox}${math.log}${math.sine}
fn pair(u: f32, v: f32) -> vec2f {
  let radius = sqrt(-2.0 * log_of(1.0 - u));
  return radius * vec2f(sine_of_turns(v + 0.25), sine_of_turns(v));
}

fn normal4(i: u32) -> vec4f {
  let u = uniform4(i);
  return vec4f(pair(u.x, u.y), pair(u.z, u.w));
}
`,
  formula: "n.offset + n.factor * normal4(i)",
};
