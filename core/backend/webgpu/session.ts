/** A session on a GPU: runs graphs, and moves numbers there and back. */
import type { DType, Value } from "../../graph/graph.ts";
import { bytesOf } from "../../program/plan.ts";
import { type NumberArray, OutOfMemory, type Session } from "../backend.ts";
import { find } from "../find.ts";
import { arrayOver, expectCount, readLogical, writeLogical } from "../numbers.ts";
import { isPlain } from "../relayout.ts";
import { availableBytes } from "./available.ts";
import type { Gpu } from "./device.ts";
import { createFetch } from "./fetch.ts";
import { allocate, type Layout, type Prepared } from "./memory.ts";
import type { Pipelines } from "./pipelines.ts";
import { type Compiled, compileSteps } from "./program.ts";
import { createRuns, type Submitted } from "./runs.ts";
import type { Range } from "./source.ts";
import { timeSteps } from "./timing.ts";

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
      throw new OutOfMemory(layout.report.totalBytes, await availableBytes(device, layout.report.totalBytes));
    }
    await Promise.all([...layout.prepared].map(async ([name, prepared]) => {
      compiled.set(name, await compileSteps(device, pipelines, prepared, memory));
    }));
  }
  const ready = watch(prepare());
  // Whoever runs something gets the failure; until then it must not count as unhandled.
  ready.catch(() => {});
  let isReady = false;
  ready.then(() => isReady = true, () => {});

  const graphOf = (name: string): Prepared => find(layout.prepared, name, "graph");
  const outputOf = (graph: string, name: string) =>
    find(graphOf(graph).program.graph.outputs, name, "output");
  const anyGraph = () => [...layout.prepared.values()][0]!;

  /** The ranges of a value's bytes, in whole words: the padding after its last number belongs to nobody else. */
  function rangesOf(value: Value, prepared: Prepared): Range[] {
    let left = Math.ceil(bytesOf(value) / 4) * 4;
    return memory.rangesOf(value, prepared).map(({ buffer, offset, size }) => {
      const own = Math.min(size, left);
      left -= own;
      return { buffer, offset, size: own };
    });
  }

  function store(value: Value, prepared: Prepared, data: ArrayLike<number>): void {
    expectCount(value, data);
    let { bytes, from } = inMemoryOrder(value, data);
    for (const { buffer, offset, size } of rangesOf(value, prepared)) {
      queue.writeBuffer(buffer, offset, bytes, from, size);
      from += size;
    }
  }

  async function fetchOne(value: Value, prepared: Prepared): Promise<NumberArray> {
    await ready;
    return readLogical(value, await watch(fetch(rangesOf(value, prepared))));
  }

  const runs = createRuns({ gpu, layout, compiled, rangesOf, fetchOne });

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
        const submitted = runs.submit(graph);
        // Waiting may block this thread: what the caller does next should overlap with the GPU's work.
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
      const { read } = runs.submit(graph);
      // Now, while the GPU is at work, so that it need not wait for this afterwards.
      runs.recordNext(graph);
      return read;
    },
    depth: runs.depth,
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
      runs.destroy();
    },
  };
}

/** A value's numbers as memory holds them, in whole words. Bytes are stored as they are written, see op image_batch. */
function inMemoryOrder(value: Value, data: ArrayLike<number>): { bytes: ArrayBuffer; from: number } {
  const { dtype, shape } = value;
  const plain = dtype === "u8" || isPlain(shape);
  if (plain && isOf(dtype, data) && data.buffer instanceof ArrayBuffer && data.byteLength % 4 === 0) {
    return { bytes: data.buffer, from: data.byteOffset };
  }
  const bytes = new ArrayBuffer(Math.ceil(bytesOf(value) / 4) * 4);
  writeLogical(value, data, arrayOver(value, bytes));
  return { bytes, from: 0 };
}

function isOf(dtype: DType, data: ArrayLike<number>): data is NumberArray {
  return data instanceof { f32: Float32Array, i32: Int32Array, u8: Uint8Array }[dtype];
}
