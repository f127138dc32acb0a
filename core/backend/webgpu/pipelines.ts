/** Compiled kernels: each source once, without blocking. */
import type { Placed } from "./source.ts";

export interface Pipelines {
  /** Compiles it, or finds it compiled. `numbers` is how many bytes its uniform has, 0 for none. */
  of(placed: Placed, numbers: number): Promise<GPUComputePipeline>;
}

export function createPipelines(device: GPUDevice): Pipelines {
  const known = new Map<string, Promise<GPUComputePipeline>>();
  const layouts = new Map<string, GPUPipelineLayout>();

  /**
   * Given, rather than taken from the source: a buffer may well be left alone by its kernel. With least sizes, so that nothing
   * has to be compared when dispatches are recorded.
   */
  function layoutOf({ kernel, bindings }: Placed, numbers: number): GPUPipelineLayout {
    const most = device.limits.maxStorageBuffersPerShaderStage;
    if (bindings.length > most) {
      throw new Error(`the kernel ${kernel} needs ${bindings.length} storage buffers, the GPU takes ${most}`);
    }
    const buffers: GPUBufferBindingLayout[] = [
      ...(numbers > 0 ? [{ type: "uniform" as const, minBindingSize: numbers }] : []),
      ...bindings.map(({ writable, each }) => ({
        type: writable ? "storage" as const : "read-only-storage" as const,
        minBindingSize: each,
      })),
    ];
    const key = JSON.stringify(buffers);
    let layout = layouts.get(key);
    if (!layout) {
      const entries = buffers.map((buffer, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer,
      }));
      layout = device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries })] });
      layouts.set(key, layout);
    }
    return layout;
  }

  async function compile(placed: Placed, numbers: number): Promise<GPUComputePipeline> {
    const module = device.createShaderModule({ label: placed.kernel, code: placed.source });
    try {
      return await device.createComputePipelineAsync({
        label: placed.kernel,
        layout: layoutOf(placed, numbers),
        compute: { module, entryPoint: "main" },
      });
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const lines = messages.map(({ lineNum, message }) => `line ${lineNum}: ${message}`);
      throw new Error(`Strata is at fault: ${placed.kernel} does not compile: ${lines.join("; ") || error}`);
    }
  }

  return {
    of(placed, numbers) {
      let pipeline = known.get(placed.source);
      if (!pipeline) known.set(placed.source, pipeline = compile(placed, numbers));
      return pipeline;
    },
  };
}
