/** Times one op by itself: what its kernels take when its inputs are where the last run left them. */
import type { Backend, KernelTime, Session } from "../backend/backend.ts";
import { isWasm } from "../backend/wasm/backend.ts";
import { isWebgpu } from "../backend/webgpu/backend.ts";
import { hasClock } from "../backend/webgpu/timing.ts";
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
  /** Of other ops: the first image that goes in or out, or how many tensors an optimiser updates. */
  readonly size: string;
  /** The kernels that it takes, in order: they tell the method that was chosen. */
  readonly kernels: readonly string[];
  /** The median. */
  readonly milliseconds: number;
  readonly runs: number;
  readonly macs: number;
  readonly bytes: number;
  /** What the machine could do in the same moment. */
  readonly roof: Roof;
}

/** Enough for V8 to have optimised a kernel, and for memory to be there. */
const WARMUP = 2;

/** A CPU's roof is measured this often among a case's runs, since machines change their speed. */
const ROUNDS = 4;

/** Calls that are submitted at once to a GPU without a clock, so that the cost of submitting is negligible. */
const AT_ONCE = 32;

/** Milliseconds that a case will take, roughly: to fill its inputs, to warm up, and to be timed. */
export function estimate({ node }: KernelCase, milliseconds: number, roof: Roof): number {
  const run = macsOf(node) / (roof.gflops * 1e6) * 4 + trafficOf(node) / (roof.gigabytes * 1e6);
  const fill = trafficOf(node) / 1e6, roofs = 40;
  return roofs + fill + WARMUP * run + Math.max(milliseconds, ROUNDS * run);
}

/**
 * Runs a case for about `milliseconds`, but a few times at least. A CPU's roof is measured in between, but for ops
 * with arithmetic the rate of a copy is `roof`'s, since measuring that takes long; a GPU's is `roof`. Throws `OutOfMemory`.
 */
export async function timeKernel(
  backend: Backend,
  item: KernelCase,
  milliseconds: number,
  roof: Roof,
): Promise<KernelResult> {
  const { name, node } = item;
  const macs = macsOf(node), bytes = trafficOf(node);
  const blind = isWebgpu(backend) && !hasClock(backend.gpu);
  const session = backend.compile(caseGraphs(item, blind ? AT_ONCE : 1));
  const timeOf = async () => blind ? await wallTime(session) : sumOf(await callsOf(session, node));
  try {
    await session.run("init");
    for (let run = 0; run < WARMUP; run++) await timeOf();
    const kernels = (await callsOf(session, node)).map(({ kernel }) => kernel);
    const taken: number[] = [], roofs: Roof[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (!isWasm(backend)) roofs.push(roof);
      else {roofs.push(
          macs === 0 ? await measureRoof(backend) : { ...roof, gflops: await peakGflops(backend) },
        );}
      const end = performance.now() + milliseconds / ROUNDS;
      do taken.push(await timeOf()); while (performance.now() < end);
    }
    const medianOf = (of: keyof Roof) => statisticsOf(roofs.map((roof) => roof[of])).median;
    return {
      name,
      convolution: convolutionOf(node),
      size: sizeText(node),
      kernels: kernels.slice(0, kernels.length / (blind ? AT_ONCE : 1)),
      milliseconds: statisticsOf(taken).median,
      runs: taken.length,
      macs,
      bytes,
      roof: { gflops: medianOf("gflops"), gigabytes: medianOf("gigabytes") },
    };
  } finally {
    session.dispose();
  }
}

function sizeText(node: Node): string {
  if (convolutionOf(node)) return "";
  const { inputs, outputs, attrs } = node;
  const { lrScale } = attrs as Partial<UpdateAttrs>;
  if (lrScale) return `${lrScale.length} tensors`;
  const [image] = [...inputs, ...outputs].filter(({ shape }) => shape.length > 1);
  return times(image?.shape ?? []);
}

/** Without those of a node that only prepares its inputs. */
async function callsOf(session: Session, { op }: Node): Promise<KernelTime[]> {
  return (await session.profile("op")).filter(({ node }) => node.op === op);
}

/** Milliseconds of a call, of the many that a run has. */
async function wallTime(session: Session): Promise<number> {
  const began = performance.now();
  await session.run("op");
  return (performance.now() - began) / AT_ONCE;
}

function sumOf(calls: readonly KernelTime[]): number {
  return calls.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}

/** The graph of one op, `copies` times, and one that fills what it reads. */
function caseGraphs({ node, before }: KernelCase, copies: number): { op: Graph; init: Graph } {
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
  for (let copy = 1; copy < copies; copy++) append(node);
  append(node).forEach((value, index) => builder.output(String(index), value));
  return { op: builder.finish(), init: init.finish() };
}
