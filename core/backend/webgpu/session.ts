/** A session on a GPU: runs graphs, and moves numbers there and back. */
import type { DType, Value } from "../../graph/graph.ts";
import { bytesOf } from "../../program/plan.ts";
import { sizeOf } from "../../shape.ts";
import { type NumberArray, OutOfMemory, type ReadOutput, type Session } from "../backend.ts";
import { isPlain, toLogical, toPhysical } from "../relayout.ts";
import type { Gpu } from "./device.ts";
import { createFetch } from "./fetch.ts";
import { allocate, type Layout, type Prepared } from "./memory.ts";
import type { Pipelines } from "./pipelines.ts";
import { type Compiled, compileSteps, record } from "./program.ts";
import { createResults } from "./results.ts";
import type { Range } from "./source.ts";
import { timeSteps } from "./timing.ts";

/** The smallest outputs of a graph, up to so many bytes in all, come back with every run. */
const SMALL_BYTES = 2 ** 22;

/** A run, once it is submitted. */
interface Submitted {
  readonly graph: string;
  /** Settles once it has ended. */
  done(): Promise<void>;
  /** Of an output that comes back with it; of others, until the next run. */
  readonly read: ReadOutput;
}

/** Takes memory for the layout, and begins to compile its kernels. */
export function createSession(gpu: Gpu, pipelines: Pipelines, layout: Layout): Session {
  const { device, watch } = gpu, { queue } = device;
  device.pushErrorScope("out-of-memory");
  const memory = allocate(device, layout);
  const refused = device.popErrorScope();
  const compiled = new Map<string, Compiled>();
  const fetch = createFetch(device);
  let running: Promise<void> | undefined;
  let last: Submitted | undefined;
  let disposed = false;

  async function prepare(): Promise<void> {
    if (await refused) {
      memory.destroy();
      throw new OutOfMemory(layout.report.totalBytes, await available(device, layout.report.totalBytes));
    }
    await Promise.all([...layout.prepared].map(async ([name, prepared]) => {
      compiled.set(name, await compileSteps(device, pipelines, prepared, memory));
    }));
  }
  const ready = watch(prepare());
  // Whoever runs something is told; until then it must not count as unhandled.
  ready.catch(() => {});
  let isReady = false;
  ready.then(() => isReady = true, () => {});

  const graphOf = (name: string): Prepared => find(layout.prepared, name, "graph");
  const outputOf = (graph: string, name: string) =>
    find(graphOf(graph).program.graph.outputs, name, "output");
  const anyGraph = () => [...layout.prepared.values()][0]!;

  /** The ranges of a value's bytes, in whole words: behind its last number they belong to nobody else. */
  function rangesOf(value: Value, prepared: Prepared): Range[] {
    let left = Math.ceil(bytesOf(value) / 4) * 4;
    return memory.rangesOf(value, prepared).map(({ buffer, offset, size }) => {
      const own = Math.min(size, left);
      left -= own;
      return { buffer, offset, size: own };
    });
  }

  function store(value: Value, prepared: Prepared, data: ArrayLike<number>): void {
    const count = sizeOf(value.shape);
    if (data.length !== count) throw new Error(`${value.name} holds ${count} numbers, not ${data.length}`);
    let { bytes, from } = inMemoryOrder(value, data);
    for (const { buffer, offset, size } of rangesOf(value, prepared)) {
      queue.writeBuffer(buffer, offset, bytes, from, size);
      from += size;
    }
  }

  async function fetchOne(value: Value, prepared: Prepared): Promise<NumberArray> {
    await ready;
    return load(value, await watch(fetch(rangesOf(value, prepared))));
  }

  /** What comes back with every run of a graph: where in its bytes each value is. */
  const returned = new Map([...layout.prepared].map(([name, prepared]) => {
    const values = smallOutputs(prepared);
    let at = 0;
    const places = new Map<Value, number>();
    const ranges = values.flatMap((value) => {
      places.set(value, at);
      const own = rangesOf(value, prepared);
      at += own.reduce((sum, { size }) => sum + size, 0);
      return own;
    });
    return [name, { places, results: values.length > 0 ? createResults(device, ranges) : undefined }];
  }));

  /** The commands of a graph's next run, where they were recorded ahead. */
  const recorded = new Map<string, GPUCommandBuffer>();

  function commandsOf(graph: string): GPUCommandBuffer {
    const encoder = device.createCommandEncoder();
    record(encoder, compiled.get(graph)!.steps);
    return encoder.finish();
  }

  /** Submits a graph's work, and the copies of its small outputs behind it. */
  function submit(graph: string): Submitted {
    const work = recorded.get(graph) ?? commandsOf(graph);
    recorded.delete(graph);
    const { places, results } = returned.get(graph)!;
    const encoder = device.createCommandEncoder();
    const arriving = results?.copy(encoder);
    queue.submit([work, encoder.finish()]);
    return {
      graph,
      done: async () => void await watch<unknown>(arriving ? arriving() : queue.onSubmittedWorkDone()),
      async read(output) {
        const value = outputOf(graph, output), place = places.get(value);
        if (place === undefined || !arriving) return await fetchOne(value, graphOf(graph));
        return load(value, await watch(arriving()), place);
      },
    };
  }

  /** One after another, since outputs are valid until the next run; submitted at once where nothing runs. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    while (running) await running.catch(() => {});
    last = undefined;
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
      await alone(async () => {
        const submitted = submit(graph);
        // Waiting may hold this thread up: what the caller does next should overlap with the GPU's work.
        await Promise.resolve();
        await submitted.done();
        last = submitted;
      });
    },
    async begin(graph) {
      graphOf(graph);
      if (!isReady) await ready;
      while (running) await running;
      last = undefined;
      const { read } = submit(graph);
      // While that is at work: the GPU is not to wait for it when it is done.
      recorded.set(graph, commandsOf(graph));
      return read;
    },
    depth(graph) {
      const { outputs } = graphOf(graph).program.graph, { places, results } = returned.get(graph)!;
      const allReturn = [...outputs.values()].every((value) => places.has(value));
      return allReturn ? results?.depth ?? 1 : 1;
    },
    async profile(graph) {
      graphOf(graph);
      await ready;
      return await watch(alone(() => timeSteps(gpu, compiled.get(graph)!.steps)));
    },
    write(graph, input, data) {
      const prepared = graphOf(graph);
      store(find(prepared.program.graph.inputs, input, "input"), prepared, data);
    },
    async read(graph, output) {
      if (last?.graph === graph) return await last.read(output);
      return await fetchOne(outputOf(graph, output), graphOf(graph));
    },
    writeState: (name, data) => store(find(layout.states, name, "state"), anyGraph(), data),
    readState: (name) => fetchOne(find(layout.states, name, "state"), anyGraph()),
    dispose() {
      if (disposed) return;
      disposed = true;
      memory.destroy();
      for (const one of compiled.values()) one.destroy();
      for (const { results } of returned.values()) results?.destroy();
    },
  };
}
/** The values that come back with every run: the smallest of the outputs. */
function smallOutputs({ program: { graph } }: Prepared): Value[] {
  let left = SMALL_BYTES;
  return [...new Set(graph.outputs.values())]
    .sort((a, b) => bytesOf(a) - bytesOf(b))
    .filter((value) => (left -= bytesOf(value)) >= 0);
}

/** A value's numbers as memory holds them, in whole words. Bytes are stored as they are written, see op image_batch. */
function inMemoryOrder(value: Value, data: ArrayLike<number>): { bytes: ArrayBuffer; from: number } {
  const { dtype, shape } = value;
  const plain = dtype === "u8" || isPlain(shape);
  if (plain && isOf(dtype, data) && data.buffer instanceof ArrayBuffer && data.byteLength % 4 === 0) {
    return { bytes: data.buffer, from: data.byteOffset };
  }
  const bytes = new ArrayBuffer(Math.ceil(bytesOf(value) / 4) * 4);
  if (plain) view(value, bytes).set(data);
  else toPhysical(shape, data, view(value, bytes));
  return { bytes, from: 0 };
}

function isOf(dtype: DType, data: ArrayLike<number>): data is NumberArray {
  return data instanceof { f32: Float32Array, i32: Int32Array, u8: Uint8Array }[dtype];
}

/** A value's numbers in logical order, from bytes in memory's. */
function load(value: Value, bytes: ArrayBuffer, at = 0): NumberArray {
  const source = view(value, bytes, at);
  const target = new (source.constructor as new (length: number) => NumberArray)(source.length);
  if (value.dtype === "u8") target.set(source);
  else toLogical(value.shape, source, target);
  return target;
}

function view({ dtype, shape }: Value, bytes: ArrayBuffer, at = 0): NumberArray {
  const length = sizeOf(shape);
  if (dtype === "f32") return new Float32Array(bytes, at, length);
  if (dtype === "i32") return new Int32Array(bytes, at, length);
  return new Uint8Array(bytes, at, length);
}

/** How close to the truth `available` comes, as a share of what is wanted: 2 to the power of minus so much. */
const HALVINGS = 6;

/** About how much memory can be had, where `wanted` bytes cannot: tried, since WebGPU does not tell. */
async function available(device: GPUDevice, wanted: number): Promise<number> {
  // What was given back is free once the queue has been looked after.
  await device.queue.onSubmittedWorkDone();
  let can = 0, cannot = wanted;
  for (let round = 0; round < HALVINGS; round++) {
    const middle = (can + cannot) / 2;
    if (await canHave(device, middle)) can = middle;
    else cannot = middle;
  }
  return can;
}

async function canHave(device: GPUDevice, bytes: number): Promise<boolean> {
  device.pushErrorScope("out-of-memory");
  const size = Math.min(device.limits.maxBufferSize, Math.ceil(bytes / 4) * 4);
  const buffers = Array.from(
    { length: Math.ceil(bytes / size) },
    () => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }),
  );
  const error = await device.popErrorScope();
  buffers.forEach((buffer) => buffer.destroy());
  return error === null;
}

function find<T>(map: ReadonlyMap<string, T>, name: string, what: string): T {
  const found = map.get(name);
  if (found === undefined) {
    throw new Error(`there is no ${what} ${name}; there are ${[...map.keys()].join(", ")}`);
  }
  return found;
}
