/** Work that takes as long as is wanted: multiply-adds whose numbers stay in registers, so that nothing else holds them up. */
import { LANES } from "./kernel.ts";
import type { Step } from "./program.ts";

/** More than any GPU of our time holds at once, so that none of it is idle. */
const GROUPS = 2048;

/** Sums that do not wait for each other, vectors of four each: enough to hide how long an addition takes. */
const SUMS = 8;

/** Multiply-adds of each sum in a round: so many that the loop's own work is negligible. */
const UNROLLED = 8;

const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);

const round = Array.from({ length: UNROLLED }, () => sums.map((sum) => `    ${sum} = fma(${sum}, a, b);`));

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
${round.flat().join("\n")}
  }
  y[id.x] = ${sums.join(" + ")};
}
`;

/** Multiply-adds of a round. */
export const ROUND_MACS = GROUPS * LANES * SUMS * UNROLLED * 4;

export interface Busy {
  readonly step: Pick<Step, "pipeline" | "bindings" | "groups">;
  /** How many rounds the step takes from now on. */
  take(rounds: number): void;
  destroy(): void;
}

export async function createBusy(device: GPUDevice): Promise<Busy> {
  const { STORAGE, UNIFORM, COPY_DST } = GPUBufferUsage, { queue } = device;
  const module = device.createShaderModule({ label: "busy", code: SOURCE });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const numbers = device.createBuffer({ size: 16, usage: UNIFORM | COPY_DST });
  const results = device.createBuffer({ size: 16 * GROUPS * LANES, usage: STORAGE });
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [numbers, results].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  queue.writeBuffer(numbers, 4, Float32Array.of(0.999, 0.001));
  return {
    step: { pipeline, bindings, groups: [GROUPS, 1, 1] },
    take: (rounds) => queue.writeBuffer(numbers, 0, Uint32Array.of(rounds)),
    destroy() {
      numbers.destroy();
      results.destroy();
    },
  };
}
