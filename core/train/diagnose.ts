/** Finds where a loss that is not finite began. */
import { OutOfMemory, type Session } from "../backend/backend.ts";
import { allocateBatch, trainFiller } from "../data/batches.ts";
import { hasOnlyFinite } from "../finite.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Node } from "../graph/graph.ts";
import { namedParameters } from "../nn/module.ts";
import type { Place } from "./feed.ts";
import { forwardGraph } from "./graphs.ts";
import { batchShape } from "./run_graphs.ts";
import type { StepNumbers } from "./step_numbers.ts";
import type { Judged } from "./task.ts";
import type { TrainerOptions } from "./trainer.ts";

type DiagnosisOptions = TrainerOptions<Judged>;

/** What the step at fault was given: its batch, and numbers. */
export interface FailedStep {
  readonly place: Place;
  readonly numbers: StepNumbers;
}

/**
 * Says which layer is at fault, after a step that updated no weight: the first whose weights are not finite already, or
 * else the first whose output is not, on the same batch with the same random numbers.
 */
export async function diagnose(
  options: DiagnosisOptions,
  session: Session,
  step: FailedStep,
): Promise<string> {
  for (const name of namedParameters(options.model).keys()) {
    if (hasOnlyFinite(await session.readState(name))) continue;
    return `the weights ${name} are no longer finite: the step before was too large; lower --lr, or warm up longer`;
  }
  const probe = await createProbe(options);
  if (!probe) return "there is no memory left to find the layer; lower --lr, or check the images";
  try {
    const { largest = Infinity } = options.backend;
    const node = await firstBeyond(largest, probe, options, session, step);
    if (node && largest < Infinity) {
      return `the first output that is not finite, or beyond ${largest}, is that of ${
        nameOf(node)
      }; leave out --amp, ` +
        "lower --lr, or check the images";
    }
    if (!node) return "every layer's output is finite, so the scores are too large for the loss; lower --lr";
    return `the first output that is not finite is that of ${nameOf(node)}; lower --lr, or check the images`;
  } finally {
    probe.session.dispose();
  }
}

function nameOf({ scope, op }: Node): string {
  return `${scope || "the network"} (${op})`;
}

interface Probe {
  readonly session: Session;
  /** The output of node `i` is called `i`. */
  readonly nodes: readonly Node[];
}

/** The forward part with every result kept; undefined where there is no memory for it. */
async function createProbe(options: DiagnosisOptions): Promise<Probe | undefined> {
  const { backend, model, data, batch_size, task } = options;
  const forward = forwardGraph(model, batchShape(data, batch_size), task);
  const builder = GraphBuilder.extend(forward);
  forward.nodes.forEach((node, index) => builder.output(String(index), node.outputs[0]!));
  try {
    const session = backend.compile({ probe: builder.finish() });
    await session.ready;
    return { session, nodes: forward.nodes };
  } catch (error) {
    if (error instanceof OutOfMemory) return undefined;
    throw error;
  }
}

/**
 * Runs the step's forward part once more. Its batch norms changed the running statistics already, which does not
 * matter here: in training they normalise by the batch's own.
 */
async function firstBeyond(
  largest: number,
  { session: probe, nodes }: Probe,
  options: DiagnosisOptions,
  session: Session,
  { place, numbers }: FailedStep,
): Promise<Node | undefined> {
  const { data, batch_size } = options;
  for (const name of probe.stateNames) probe.writeState(name, await session.readState(name));
  const batch = allocateBatch(data.train, batch_size);
  await trainFiller(data.train, options.seed)(batch, place);
  probe.write("probe", "pixels", batch.pixels);
  probe.write("probe", "moves", batch.moves);
  for (const input of probe.inputNames("probe")) {
    if (numbers[input]) probe.write("probe", input, numbers[input]);
  }
  await probe.run("probe");
  for (const [index, node] of nodes.entries()) {
    const numbers = await probe.read("probe", String(index));
    if (!hasOnlyFinite(numbers) || largest < Infinity && numbers.some((x) => Math.abs(x) > largest)) {
      return node;
    }
  }
  return undefined;
}
