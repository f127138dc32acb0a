/** A session on a GPU: runs graphs, and moves numbers there and back. */
import type { Value } from "../../graph/graph.ts";
import { bytesOf } from "../../program/plan.ts";
import { UserError } from "../../errors.ts";
import { sizeOf } from "../../shape.ts";
import { type NumberArray, OutOfMemory, type Session } from "../backend.ts";
import { toLogical, toPhysical } from "../relayout.ts";
import type { Gpu } from "./device.ts";
import { allocate, type Layout, type Memory, type Prepared } from "./memory.ts";
import type { Pipelines } from "./pipelines.ts";
import { type Compiled, compileSteps } from "./program.ts";
import { timeSteps } from "./timing.ts";

/** Outputs that are small come back with every run, so that reading them waits for nothing more. */
const SMALL_BYTES = 1024;

/** Milliseconds after a failure in which the loss of the GPU may turn out to be its cause. */
const CONSEQUENCES = 100;

/** What a run left for reading. */
interface Fetched {
  readonly graph: string;
  readonly bytes: ReadonlyMap<Value, ArrayBuffer>;
}

/** Takes memory for the layout, and begins to compile its kernels. */
export function createSession(gpu: Gpu, pipelines: Pipelines, layout: Layout): Session {
  const { device } = gpu, { queue } = device;
  device.pushErrorScope("out-of-memory");
  const memory = allocate(device, layout);
  const refused = device.popErrorScope();
  const compiled = new Map<string, Compiled>();
  let running: Promise<void> | undefined;
  let fetched: Fetched | undefined;
  let disposed = false;

  /** The work; where it fails because the GPU is gone, that is what is told. */
  async function orLost<T>(work: Promise<T>): Promise<T> {
    const gone = gpu.lost.then((line): never => {
      throw new UserError(line);
    });
    try {
      const done = await Promise.race([work, gone]);
      const refused = gpu.refused();
      if (refused !== undefined) throw new Error(`Strata is at fault: WebGPU refused something: ${refused}`);
      return done;
    } catch (error) {
      // What fails first may be a consequence.
      const failed = new Promise<never>((_, reject) => setTimeout(() => reject(error), CONSEQUENCES));
      return await Promise.race([gone, failed]);
    }
  }

  async function prepare(): Promise<void> {
    if (await refused) {
      memory.destroy();
      throw new OutOfMemory(layout.report.totalBytes, await available(device, layout.report.totalBytes));
    }
    await Promise.all([...layout.prepared].map(async ([name, prepared]) => {
      compiled.set(name, await compileSteps(device, pipelines, prepared, memory));
    }));
  }
  const ready = orLost(prepare());
  // Whoever runs something is told; until then it must not count as unhandled.
  ready.catch(() => {});
  let isReady = false;
  ready.then(() => isReady = true, () => {});

  const graphOf = (name: string): Prepared => find(layout.prepared, name, "graph");
  const anyGraph = () => [...layout.prepared.values()][0]!;

  function store(value: Value, prepared: Prepared, data: ArrayLike<number>): void {
    const count = sizeOf(value.shape);
    if (data.length !== count) throw new Error(`${value.name} holds ${count} numbers, not ${data.length}`);
    const bytes = new ArrayBuffer(Math.ceil(bytesOf(value) / 4) * 4);
    const numbers = view(value, bytes);
    // Bytes are stored as they are written, see op image_batch.
    if (value.dtype === "u8") numbers.set(data);
    else toPhysical(value.shape, data, numbers);
    let from = 0;
    for (const { buffer, offset, size } of memory.rangesOf(value, prepared)) {
      const length = Math.min(size, bytes.byteLength - from);
      queue.writeBuffer(buffer, offset, bytes, from, length);
      from += length;
    }
  }

  function load(value: Value, bytes: ArrayBuffer): NumberArray {
    const source = view(value, bytes);
    const target = new (source.constructor as new (length: number) => NumberArray)(source.length);
    if (value.dtype === "u8") target.set(source);
    else toLogical(value.shape, source, target);
    return target;
  }

  /** Copies the bytes of values to where they can be read once the queue has come so far. */
  function fetchLater(encoder: GPUCommandEncoder, values: readonly Value[], prepared: Prepared) {
    const sizes = values.map((value) => Math.ceil(bytesOf(value) / 4) * 4);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const staging = device.createBuffer({
      label: "staging",
      size: total,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    let at = 0;
    values.forEach((value, index) => {
      let left = sizes[index]!;
      for (const { buffer, offset, size } of memory.rangesOf(value, prepared)) {
        const length = Math.min(size, left);
        encoder.copyBufferToBuffer(buffer, offset, staging, at, length);
        at += length;
        left -= length;
      }
    });
    return async (): Promise<Map<Value, ArrayBuffer>> => {
      await staging.mapAsync(GPUMapMode.READ);
      const all = staging.getMappedRange().slice(0);
      staging.destroy();
      let from = 0;
      return new Map(values.map((value, index) => [value, all.slice(from, from += sizes[index]!)]));
    };
  }

  async function fetchOne(value: Value, prepared: Prepared): Promise<NumberArray> {
    await ready;
    const encoder = device.createCommandEncoder();
    const arrive = fetchLater(encoder, [value], prepared);
    queue.submit([encoder.finish()]);
    return load(value, (await orLost(arrive())).get(value)!);
  }

  /** Records the graph's dispatches in one pass and submits them; the promise is for the end of the work. */
  async function submit(name: string, { steps }: Compiled): Promise<void> {
    const prepared = graphOf(name);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, bindings, groups } of steps) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(...groups);
    }
    pass.end();
    const small = [...new Set(prepared.program.graph.outputs.values())]
      .filter((value) => bytesOf(value) <= SMALL_BYTES);
    const arrive = small.length > 0 ? fetchLater(encoder, small, prepared) : undefined;
    queue.submit([encoder.finish()]);
    // Waiting may hold this thread up: what the caller does next should overlap with the GPU's work.
    await Promise.resolve();
    if (arrive) fetched = { graph: name, bytes: await arrive() };
    else await queue.onSubmittedWorkDone();
  }

  /** One after another, since outputs are valid until the next run; submitted at once where nothing runs. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    while (running) await running.catch(() => {});
    fetched = undefined;
    const mine = work();
    running = mine.then(() => {}, () => {});
    try {
      return await mine;
    } finally {
      running = undefined;
    }
  }

  return {
    ready,
    memory: layout.report,
    stateNames: [...layout.states.keys()],
    stateShape: (name) => find(layout.states, name, "state").shape,
    inputNames: (graph) => [...graphOf(graph).program.graph.inputs.keys()],
    async run(graph) {
      graphOf(graph);
      if (!isReady) await ready;
      await orLost(alone(() => submit(graph, compiled.get(graph)!)));
    },
    async profile(graph) {
      graphOf(graph);
      await ready;
      return await orLost(alone(() => timeSteps(gpu, compiled.get(graph)!.steps)));
    },
    write(graph, input, data) {
      const prepared = graphOf(graph);
      store(find(prepared.program.graph.inputs, input, "input"), prepared, data);
    },
    async read(graph, output) {
      const prepared = graphOf(graph);
      const value = find(prepared.program.graph.outputs, output, "output");
      const bytes = fetched?.graph === graph ? fetched.bytes.get(value) : undefined;
      return bytes ? load(value, bytes) : await fetchOne(value, prepared);
    },
    writeState: (name, data) => store(find(layout.states, name, "state"), anyGraph(), data),
    readState: (name) => fetchOne(find(layout.states, name, "state"), anyGraph()),
    dispose() {
      if (disposed) return;
      disposed = true;
      release(memory, compiled);
    },
  };
}

function release(memory: Memory, compiled: ReadonlyMap<string, Compiled>): void {
  memory.destroy();
  for (const one of compiled.values()) one.destroy();
}

function view({ dtype, shape }: Value, bytes: ArrayBuffer): NumberArray {
  const length = sizeOf(shape);
  if (dtype === "f32") return new Float32Array(bytes, 0, length);
  if (dtype === "i32") return new Int32Array(bytes, 0, length);
  return new Uint8Array(bytes, 0, length);
}

/** About how much memory can be had, where `wanted` bytes cannot: tried, since WebGPU does not tell. */
async function available(device: GPUDevice, wanted: number): Promise<number> {
  for (let bytes = wanted / 2; bytes > 2 ** 20; bytes /= 2) {
    device.pushErrorScope("out-of-memory");
    const size = Math.min(device.limits.maxBufferSize, Math.ceil(bytes / 4) * 4);
    const buffers = Array.from(
      { length: Math.ceil(bytes / size) },
      () => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }),
    );
    const error = await device.popErrorScope();
    buffers.forEach((buffer) => buffer.destroy());
    if (!error) return bytes;
  }
  return 0;
}

function find<T>(map: ReadonlyMap<string, T>, name: string, what: string): T {
  const found = map.get(name);
  if (found === undefined) {
    throw new Error(`there is no ${what} ${name}; there are ${[...map.keys()].join(", ")}`);
  }
  return found;
}
