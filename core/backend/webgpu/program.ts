/** A graph's dispatches, compiled and bound to memory. */
import type { Node } from "../../graph/graph.ts";
import { rowsOfGroups } from "./kernel.ts";
import type { Memory, Prepared } from "./memory.ts";
import type { Pipelines } from "./pipelines.ts";
import { numbersBytes, packNumbers, place } from "./source.ts";

/** A dispatch, ready to be recorded. */
export interface Step {
  readonly kernel: string;
  readonly node: Node;
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly groups: readonly [number, number, number];
}

/** Where a uniform may begin on any adapter. */
const ALIGNMENT = 256;

export interface Compiled {
  readonly steps: readonly Step[];
  destroy(): void;
}

/** Compiles the kernels of a graph, all at once, and binds them. */
export async function compileSteps(
  device: GPUDevice,
  pipelines: Pipelines,
  prepared: Prepared,
  memory: Memory,
): Promise<Compiled> {
  const { calls } = prepared.program;
  const room = calls.reduce((sum, { numbers }) => sum + roomFor(numbersBytes(numbers)), ALIGNMENT);
  const uniforms = device.createBuffer({
    label: "numbers",
    size: room,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  const data = new DataView(new ArrayBuffer(room));
  let offset = 0;
  const steps = await Promise.all(calls.map(async (call): Promise<Step> => {
    const { kernel, node, numbers, groups } = call;
    const placed = place(call, (item) => memory.rangesOf(item, prepared), prepared.halves);
    const size = numbersBytes(numbers), at = offset;
    packNumbers(numbers, data, at);
    offset += roomFor(size);
    const pipeline = await pipelines.of(placed, size);
    const resources: GPUBufferBinding[] = [
      ...(size > 0 ? [{ buffer: uniforms, offset: at, size }] : []),
      ...placed.bindings.map(({ range }) => range),
    ];
    const bindings = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    return {
      kernel,
      node,
      pipeline,
      bindings,
      groups: typeof groups === "number" ? [...rowsOfGroups(groups), 1] : groups,
    };
  }));
  device.queue.writeBuffer(uniforms, 0, data);
  return { steps, destroy: () => uniforms.destroy() };
}

/** Records the steps in one pass. */
export function record(encoder: GPUCommandEncoder, steps: readonly Step[]): void {
  const pass = encoder.beginComputePass();
  let set: GPUComputePipeline | undefined;
  for (const { pipeline, bindings, groups } of steps) {
    if (pipeline !== set) pass.setPipeline(set = pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(...groups);
  }
  pass.end();
}

function roomFor(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
