/** How much a GPU multiplies and adds where nothing holds it up: each invocation's numbers stay in registers. */
import type { Gpu } from "./device.ts";
import { LANES } from "./kernel.ts";
import { timePasses } from "./timing.ts";

/** More than any GPU of our time holds at once, so that none of it is idle. */
const GROUPS = 2048;

/** Sums that do not wait for each other, vectors of four each: enough to hide how long an addition takes. */
const SUMS = 8;

/** Of each sum in a round: against these the loop's own work does not count. */
const UNROLLED = 8;

/** A dispatch long enough that starting it does not count. */
const ENOUGH_MILLISECONDS = 5;

const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);

const SOURCE = `
struct Numbers { rounds: u32, factor: f32, addend: f32 }
@group(0) @binding(0) var<uniform> n: Numbers;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4f(n.factor);
  let b = vec4f(n.addend);
${sums.map((sum, i) => `  var ${sum} = vec4f(f32(id.x + ${i}u));`).join("\n")}
  for (var round = 0u; round < n.rounds; round++) {
${
  Array.from({ length: UNROLLED }, () => sums.map((sum) => `    ${sum} = fma(${sum}, a, b);`).join("\n"))
    .join("\n")
}
  }
  y[id.x] = ${sums.join(" + ")};
}
`;

const MACS_A_ROUND = GROUPS * LANES * SUMS * UNROLLED * 4;

/** Multiply-adds a second in float32, the best of what is tried for so many milliseconds: a GPU's clock takes a while to rise. */
export async function peakRate(gpu: Gpu, milliseconds: number): Promise<number> {
  const { device } = gpu, { STORAGE, UNIFORM, COPY_DST } = GPUBufferUsage;
  const module = device.createShaderModule({ label: "peak", code: SOURCE });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const numbers = device.createBuffer({ size: 16, usage: UNIFORM | COPY_DST });
  const results = device.createBuffer({ size: 16 * GROUPS * LANES, usage: STORAGE });
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [numbers, results].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  device.queue.writeBuffer(numbers, 4, Float32Array.of(0.999, 0.001));
  const timeOf = async (rounds: number): Promise<number> => {
    device.queue.writeBuffer(numbers, 0, Uint32Array.of(rounds));
    return (await timePasses(gpu, [{ pipeline, bindings, groups: [GROUPS, 1, 1] }]))[0]!;
  };
  try {
    let rounds = 1, best = 0;
    const end = performance.now() + milliseconds;
    do {
      const taken = await timeOf(rounds);
      if (taken < ENOUGH_MILLISECONDS) rounds *= 2;
      else best = Math.max(best, MACS_A_ROUND * rounds / taken * 1000);
    } while (best === 0 || performance.now() < end);
    return best;
  } finally {
    numbers.destroy();
    results.destroy();
  }
}
