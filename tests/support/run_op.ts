/** Runs one op, or its gradient. */
import type { Backend, NumberArray } from "../../core/backend/backend.ts";
import { createWasmBackend, type WasmOptions } from "../../core/backend/wasm/backend.ts";
import {
  createWebgpuBackend,
  type WebgpuBackend,
  type WebgpuOptions,
} from "../../core/backend/webgpu/backend.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import type { DType } from "../../core/graph/graph.ts";
import type { AttrsOf, OpName } from "../../core/ops/mod.ts";
import { opOf } from "../../core/ops/mod.ts";
import type { Shape } from "../../core/shape.ts";

export interface Given {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
  readonly dtype?: DType;
}

/** On the CPU, with these options, or on WebGPU, as it is or with options. */
export type Where = WasmOptions | "webgpu" | { readonly webgpu: WebgpuOptions };

/** Workers and devices are dear: one for each set of options, for as long as the test process lives. */
const backends = new Map<string, Promise<Backend>>();

export function backendFor(options: Where = {}): Promise<Backend> {
  const key = JSON.stringify(options, (_, value) => typeof value === "function" ? String(value) : value);
  let backend = backends.get(key);
  if (!backend) {
    backend = start(options);
    backends.set(key, backend);
  }
  return backend;
}

async function start(options: Where): Promise<Backend> {
  if (options === "webgpu") return await createWebgpuBackend();
  if (!("webgpu" in options)) return await createWasmBackend(options);
  // One device serves all.
  const { gpu } = await backendFor("webgpu") as WebgpuBackend;
  return await createWebgpuBackend({ gpu, ...options.webgpu });
}

/**
 * The outputs of one op, in logical order, then the new contents of the inputs that it changes in place.
 * Tests that use this need `sanitizeOps: false, sanitizeResources: false`, since the pool outlives them.
 */
export async function runOp<K extends OpName>(
  op: K,
  inputs: readonly Given[],
  attrs: AttrsOf<K>,
  options: Where = {},
): Promise<NumberArray[]> {
  const builder = new GraphBuilder();
  const types = inputs.map(({ shape, dtype = "f32" }) => ({ shape, dtype }));
  const mutated = opOf(op).mutates?.(types, attrs) ?? [];
  const values = types.map((type, index) =>
    mutated.includes(index) ? builder.state(`x${index}`, type) : builder.input(`x${index}`, type)
  );
  builder.emit(op, values, attrs).forEach((value, index) => builder.output(`y${index}`, value));
  const graph = builder.finish();
  const session = (await backendFor(options)).compile({ op: graph });
  try {
    inputs.forEach(({ data }, index) => {
      if (mutated.includes(index)) session.writeState(`x${index}`, data);
      else session.write("op", `x${index}`, data);
    });
    await session.run("op");
    const outputs = await Promise.all([...graph.outputs.keys()].map((name) => session.read("op", name)));
    return [...outputs, ...await Promise.all(mutated.map((index) => session.readState(`x${index}`)))];
  } finally {
    session.dispose();
  }
}
