/** Trials of a GPU's abilities before they are relied on: some drivers compute wrongly what they say they can. */
import { UserError } from "../../errors.ts";
import type { Gpu } from "./device.ts";
import { LANES } from "./kernel.ts";
import type { Subgroups } from "./wgsl/reduce.ts";

/** How compilers have to be asked for subgroups: as the standard says, or (wgpu's) not at all. */
const DIRECTIVES = ["enable subgroups;\n", ""];

/** Whether kernels may use subgroups, and how they ask for it. */
export async function trySubgroups(device: GPUDevice): Promise<Subgroups> {
  if (!device.features.has("subgroups" as GPUFeatureName)) return undefined;
  for (const directive of DIRECTIVES) {
    const answers = await answersOf(device, directive + subgroupTrial, 4 * LANES);
    if (answers) return areSubgroups(new Uint32Array(answers)) ? { directive } : undefined;
  }
  return undefined;
}

/** Of each invocation: the size of its subgroup, its number in it, the sum of its subgroup's numbers, and a neighbour's. */
const subgroupTrial = `
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

/** Makes sure of float16. Throws `UserError` where there is none, or where it is wrong. */
export async function tryHalf({ device, name }: Gpu): Promise<void> {
  if (!device.features.has("shader-f16")) {
    throw new UserError(`the GPU (${name}) has no float16 (shader-f16): leave it at float32`);
  }
  const answers = await answersOf(device, halfTrial, LANES / 2);
  if (answers && isHalfRight(new Float16Array(answers))) return;
  throw new UserError(
    `the GPU (${name}) says that it has float16, but its driver gets numbers of it wrong: leave it at float32`,
  );
}

/**
 * Of each invocation: the product of its own number and a neighbour's, both of which went through memory as float16, where two
 * invocations share a word.
 */
const halfTrial = `enable f16;
@group(0) @binding(0) var<storage, read_write> answers: array<f16>;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane: u32) {
  answers[lane] = f16(f32(lane) - 0.5);
  storageBarrier();
  let product = f32(answers[lane]) * f32(answers[(lane + 1u) % ${LANES}u]);
  storageBarrier();
  answers[lane] = f16(product / 256.0);
}
`;

/** Whether the answers are those of arithmetic, but for the last of float16's bits, which drivers round as they like. */
export function isHalfRight(answers: Float16Array): boolean {
  return answers.length === LANES &&
    answers.every((answer, lane) => {
      const truth = (lane - 0.5) * ((lane + 1) % LANES - 0.5) / 256;
      return Math.abs(answer - truth) <= Math.abs(truth) * 2 ** -10 + 2 ** -24;
    });
}

/** The `count` words that a kernel writes; undefined where it does not compile. */
async function answersOf(device: GPUDevice, code: string, count: number): Promise<ArrayBuffer | undefined> {
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
  const answers = staging.getMappedRange().slice(0);
  buffer.destroy();
  staging.destroy();
  return answers;
}
