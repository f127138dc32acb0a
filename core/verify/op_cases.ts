/** Single ops, forward and backward: `cases` of ops.json. */
import type { Backend, Session } from "../backend/backend.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { gradient } from "../graph/gradient.ts";
import { f32, type Graph, i32, type Value } from "../graph/graph.ts";
import type { Shape } from "../shape.ts";
import { readAttributes } from "./attributes.ts";
import { type Case, type Comparison, maxError, maxMagnitude, Missing } from "./case.ts";
import { signed } from "./fill.ts";
import { type Golden, list, tensor } from "./golden.ts";
import { opBuilders } from "./op_builders.ts";
import { opTolerance } from "./tolerance.ts";

export interface OpInput {
  readonly shape: Shape;
  /** Filled with numbers in [−scale, scale) … */
  readonly scale?: number;
  /** … or in the safetensors file, as `case/input`. */
  readonly stored?: boolean;
}

export interface OpEntry {
  readonly name: string;
  readonly op: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, OpInput>>;
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  /** Shapes of the results that are in the safetensors file, as `case/result`. */
  readonly results: Readonly<Record<string, Shape>>;
  readonly torch_float32_max_abs_error?: Readonly<Record<string, number>>;
}

/** A case for each entry of `cases`. */
export function opCases(golden: Golden): Case[] {
  return list<OpEntry>(golden, "ops", "cases").map((entry) => ({
    name: entry.name,
    run: (backend) => runOp(golden, entry, backend),
  }));
}

async function runOp(golden: Golden, entry: OpEntry, backend: Backend): Promise<Comparison[]> {
  const graph = graphOf(entry);
  const session = backend.compile({ op: graph });
  try {
    writeInputs(session, golden, entry, graph.states.get("grad_y")?.shape);
    await session.run("op");
    return await Promise.all(Object.keys(entry.results).map((what) => compare(session, golden, entry, what)));
  } finally {
    session.dispose();
  }
}

/** Inputs are states, so that what an op changes in place can be read back. The upstream gradient is `grad_y`. */
function graphOf(entry: OpEntry): Graph {
  const build = opBuilders[entry.op];
  if (!build) throw new Missing(`there is no op ${entry.op}`);
  const builder = new GraphBuilder();
  const inputs = inputNames(entry)
    .map((name) => [name, builder.state(name, f32(entry.inputs[name]!.shape))] as const);
  const ints = Object.entries(entry.ints ?? {})
    .map(([name, data]) => [name, builder.state(name, i32([data.length]))] as const);
  const attributes = readAttributes(entry.attrs ?? {});
  const factor = attributes.number("input_times", 1);
  const given = inputs.map(([name, value]) => [name, times(builder, value, factor)] as const);
  const y = build(builder, new Map([...given, ...ints]), attributes);
  attributes.expectAllRead(entry.op);
  builder.output("y", y);

  const wanted = inputs.filter(([name]) => `grad_${name}` in entry.results);
  if (wanted.length > 0) {
    const grads = gradient(
      builder,
      y,
      builder.state("grad_y", f32(y.shape)),
      wanted.map(([, value]) => value),
    );
    for (const [name, value] of wanted) builder.output(`grad_${name}`, expectGradient(grads, name, value));
  }
  return builder.finish();
}

/** `input_times` stretches the inputs before the op, so that they reach the parts that matter (6, for relu6). */
function times(builder: GraphBuilder, value: Value, factor: number): Value {
  return factor === 1 ? value : builder.emit("scale", [value], { factor })[0]!;
}

function expectGradient(grads: ReadonlyMap<Value, Value>, name: string, value: Value): Value {
  const grad = grads.get(value);
  if (!grad) throw new Missing(`the op has no gradient to ${name}`);
  return grad;
}

function inputNames({ inputs }: OpEntry): string[] {
  return Object.keys(inputs).filter((name) => name !== "grad_y");
}

function writeInputs(session: Session, golden: Golden, entry: OpEntry, upstream: Shape | undefined): void {
  for (const name of inputNames(entry)) session.writeState(name, inputData(golden, entry, name));
  for (const [name, data] of Object.entries(entry.ints ?? {})) session.writeState(name, data);
  if (upstream) {
    const name = `${entry.name}/grad_y`;
    session.writeState("grad_y", golden.tensors.get(name)?.data ?? signed(name, upstream, 1));
  }
}

function inputData(golden: Golden, entry: OpEntry, input: string): ArrayLike<number> {
  const { shape, scale = 1, stored } = entry.inputs[input]!;
  const name = `${entry.name}/${input}`;
  if (stored) return tensor(golden, name).data;
  const data = signed(name, shape, scale);
  return entry.op === "batch_norm" && input === "var" ? data.map((x) => Math.abs(x) + 0.5) : data;
}

async function compare(session: Session, golden: Golden, entry: OpEntry, what: string): Promise<Comparison> {
  const actual = await resultOf(session, what);
  const expected = tensor(golden, `${entry.name}/${what}`).data;
  const error = maxError(actual, expected);
  const torch = entry.torch_float32_max_abs_error?.[what];
  const tolerance = opTolerance(maxMagnitude(expected), torch);
  return { what, error, tolerance, ...(torch === undefined ? {} : { torch }) };
}

/** Running statistics are what the op made of its inputs `mean` and `var`. */
function resultOf(session: Session, what: string): Promise<ArrayLike<number>> {
  if (what === "y" || what.startsWith("grad_")) return session.read("op", what);
  if (what === "running_mean") return session.readState("mean");
  if (what === "running_var") return session.readState("var");
  throw new Missing(`there is no result ${what}`);
}
