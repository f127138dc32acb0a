/** Finds where a loss that is not finite began. */
import type { Session } from "../backend/backend.ts";
import { namedParameters } from "../nn/module.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { allocateBatch } from "../data/batches.ts";
import type { Place } from "./feed.ts";
import { batchShape, type TrainerOptions, trainFiller } from "./trainer.ts";
import { trainGraph } from "./graphs.ts";

/**
 * Says which layer is at fault, after a step that updated nothing: the first whose weights are not finite already, or
 * else the first whose output is not, on the same batch.
 */
export async function diagnose(options: TrainerOptions, session: Session, place: Place): Promise<string> {
  for (const name of namedParameters(options.model).keys()) {
    if (hasOnlyFinite(await session.readState(name))) continue;
    return `the weights ${name} are no longer finite: the step before was too large; lower --lr, or warm up longer`;
  }
  const layer = await firstLayer(options, session, place);
  if (!layer) return "every layer's output is finite, so the scores are too large for the loss; lower --lr";
  return `the first output that is not finite is that of ${layer}; lower --lr, or check the images`;
}

/** Runs the forward part once more, with every result kept, and looks at them in order. */
async function firstLayer(
  options: TrainerOptions,
  session: Session,
  place: Place,
): Promise<string | undefined> {
  const { backend, model, data, batch_size, optimizer, label_smoothing } = options;
  const whole = trainGraph(model, { images: batchShape(data, batch_size), optimizer, label_smoothing });
  const forward = whole.nodes.slice(0, whole.nodes.findIndex(({ op }) => op === "cross_entropy"));
  const builder = GraphBuilder.extend({ ...whole, nodes: forward, outputs: new Map() });
  forward.forEach((node, index) => builder.output(String(index), node.outputs[0]!));
  let probe: Session;
  try {
    probe = backend.compile({ probe: builder.finish() });
  } catch {
    return undefined; // There is no memory left to look closer.
  }
  try {
    for (const name of probe.stateNames) probe.writeState(name, await session.readState(name));
    const batch = allocateBatch(data.train, batch_size);
    trainFiller(options)(batch, place);
    probe.write("probe", "pixels", batch.pixels);
    probe.write("probe", "moves", batch.moves);
    await probe.run("probe");
    for (const [index, node] of forward.entries()) {
      if (hasOnlyFinite(await probe.read("probe", String(index)))) continue;
      return `${node.scope || "the network"} (${node.op})`;
    }
    return undefined;
  } finally {
    probe.dispose();
  }
}

export function hasOnlyFinite(numbers: ArrayLike<number>): boolean {
  // A sum is finite only if all terms are, unless it overflows, which needs a second look.
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i]!;
  if (Number.isFinite(sum)) return true;
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false;
  return true;
}
