/** What a GPU is tried out on before it is relied on: there are drivers that compute wrongly what they say they can. */
import { LANES } from "./kernel.ts";
import type { Subgroups } from "./wgsl/reduce.ts";

/** How compilers have to be asked for subgroups: as the standard says, or (wgpu's) not at all. */
const DIRECTIVES = ["enable subgroups;\n", ""];

/** Whether kernels may use subgroups, and how they ask for it. */
export async function trySubgroups(device: GPUDevice): Promise<Subgroups> {
  if (!device.features.has("subgroups" as GPUFeatureName)) return undefined;
  for (const directive of DIRECTIVES) {
    const answers = await answersOf(device, directive + subgroupTrial, 4 * LANES);
    if (answers) return areSubgroups(answers) ? { directive } : undefined;
  }
  return undefined;
}

/** Of each invocation: the size of its subgroup, its number in it, the sum of its subgroup's numbers, and a neighbour's. */
export const subgroupTrial = `
@group(0) @binding(0) var<storage, read_write> answers: array<u32>;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  answers[4u * lane] = subgroupAdd(1u);
  answers[4u * lane + 1u] = id;
  answers[4u * lane + 2u] = u32(subgroupAdd(f32(lane)));
  answers[4u * lane + 3u] = subgroupShuffleXor(lane, 2u);
}
`;

/** Whether the answers are right, and subgroups are neighbours in order, all of one size, which the standard does not promise. */
export function areSubgroups(answers: Uint32Array): boolean {
  const size = answers[0]!;
  if (size < 4 || LANES % size !== 0) return false;
  return Array.from({ length: LANES }).every((_, lane) => {
    const first = lane - lane % size;
    const expected = [size, lane % size, size * first + size * (size - 1) / 2, lane ^ 2];
    return expected.every((value, i) => answers[4 * lane + i] === value);
  });
}

/** What a kernel writes, so many words; undefined where it does not compile. */
async function answersOf(device: GPUDevice, code: string, count: number): Promise<Uint32Array | undefined> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label: "trial", code });
  const compiling = device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const [compiled, refused] = await Promise.all([
    compiling.catch(() => undefined),
    device.popErrorScope(),
  ]);
  if (!compiled || refused) return undefined;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const buffer = device.createBuffer({ size: 4 * count, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size: 4 * count, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(compiled);
  const entries = [{ binding: 0, resource: { buffer } }];
  pass.setBindGroup(0, device.createBindGroup({ layout: compiled.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4 * count);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const answers = new Uint32Array(staging.getMappedRange().slice(0));
  buffer.destroy();
  staging.destroy();
  return answers;
}
