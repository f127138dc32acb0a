/** Times one op by itself: what its kernels take when its inputs are where the last run left them. */
import type { Backend, Session } from "../backend/backend.ts";
import type { WasmBackend } from "../backend/wasm/backend.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import type { UpdateAttrs } from "../ops/update.ts";
import { times } from "../summary/format.ts";
import { type Convolution, convolutionOf } from "./convolution.ts";
import { macsOf, trafficOf } from "./cost.ts";
import type { KernelCase } from "./kernel_cases.ts";
import { measureRoof, peakGflops, type Roof } from "./roof.ts";
import { statisticsOf } from "./statistics.ts";

export interface KernelResult {
  readonly name: string;
  /** Of which layer, if it is one. */
  readonly convolution: Convolution | undefined;
  /** Of the first image that goes in or out, or how many tensors an optimiser updates. */
  readonly size: string;
  /** The median. */
  readonly milliseconds: number;
  readonly runs: number;
  readonly macs: number;
  readonly bytes: number;
  /** What the machine could do in the same moment: before and after, on average. */
  readonly roof: Roof;
}

/** Enough for V8 to have optimised a kernel, and for memory to be there. */
const WARMUP = 2;
const LEAST_RUNS = 3;

/**
 * Runs a case for about so many milliseconds, but three times at least. The roof above it is measured beside it; for ops
 * with arithmetic the rate of a copy is `roof`'s, since measuring that takes long. Throws `OutOfMemory`.
 */
export async function timeKernel(
  backend: WasmBackend,
  item: KernelCase,
  milliseconds: number,
  roof: Roof,
): Promise<KernelResult> {
  const { name, node } = item;
  const macs = macsOf(node), bytes = trafficOf(node);
  const roofHere = async () =>
    macs === 0 ? await measureRoof(backend) : { ...roof, gflops: await peakGflops(backend) };
  const before = await roofHere();
  const { median, count } = statisticsOf(await timesOf(backend, item, milliseconds));
  const after = await roofHere();
  return {
    name,
    convolution: convolutionOf(node),
    size: sizeText(node),
    milliseconds: median,
    runs: count,
    macs,
    bytes,
    roof: {
      gflops: (before.gflops + after.gflops) / 2,
      gigabytes: (before.gigabytes + after.gigabytes) / 2,
    },
  };
}

async function timesOf(backend: Backend, item: KernelCase, milliseconds: number): Promise<number[]> {
  const { node } = item;
  const session = backend.compile(caseGraphs(item));
  try {
    await session.run("init");
    for (let run = 0; run < WARMUP; run++) await timeOf(session, node);
    const end = performance.now() + milliseconds;
    const taken: number[] = [];
    while (taken.length < LEAST_RUNS || performance.now() < end) taken.push(await timeOf(session, node));
    return taken;
  } finally {
    session.dispose();
  }
}

function sizeText({ inputs, outputs, attrs }: Node): string {
  const { lrScale } = attrs as Partial<UpdateAttrs>;
  if (lrScale) return `${lrScale.length} tensors`;
  const [image] = [...inputs, ...outputs].filter(({ shape }) => shape.length > 1);
  return times(image?.shape ?? []);
}

/** Without the time of a node that only prepares its inputs. */
async function timeOf(session: Session, { op }: Node): Promise<number> {
  const calls = (await session.profile("op")).filter(({ node }) => node.op === op);
  return calls.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}

/** The graph of one op, and one that fills what it reads. */
function caseGraphs({ node, before }: KernelCase): { op: Graph; init: Graph } {
  const builder = new GraphBuilder(), init = new GraphBuilder();
  const rng = init.input("rng", { shape: [4], dtype: "i32" });
  const values = new Map<Value, Value>();
  const valueOf = (value: Value): Value => {
    let own = values.get(value);
    if (own) return own;
    const name = String(value.id);
    if (value.dtype === "f32") {
      // States, so that kernels fill them; statistics and rates must not be negative.
      own = builder.state(name, value);
      const [low, high] = value.shape.length < 2 ? [0.5, 1] : [-1, 1];
      init.emit("init_uniform", [init.state(name, value), rng], { low, high, stream: value.id });
    } else own = builder.input(name, value); // Zeros: targets, bytes of images, where to crop.
    values.set(value, own);
    return own;
  };
  const append = ({ op, inputs, outputs, attrs }: Node) => {
    const made = builder.emit(op, inputs.map(valueOf), attrs);
    outputs.forEach((value, index) => values.set(value, made[index]!));
    return made;
  };
  if (before) append(before);
  append(node).forEach((value, index) => builder.output(String(index), value));
  return { op: builder.finish(), init: init.finish() };
}
