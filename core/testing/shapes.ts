/**
 * Checks of a network's shapes for your own tests, whatever runs them: each throws an error that says what was expected and
 * what was found. Nothing is computed, so that even the largest network takes milliseconds.
 *
 * ```ts
 * import * as nn from "../nn/mod.ts";
 *
 * const net = () =>
 *   new nn.Sequential({
 *     conv: new nn.Conv2d(3, 8, 3, { padding: 1 }),
 *     pool: new nn.MaxPool2d(2),
 *     flatten: new nn.Flatten(),
 *     fc: new nn.Linear(8 * 16 * 16, 10),
 *   });
 * expectShape(net(), [1, 3, 32, 32], [1, 10]);
 * expectLayers(net(), [1, 3, 32, 32], { conv: [1, 8, 32, 32], pool: [1, 8, 16, 16] });
 * expectParameters(net(), 20_714);
 * expectShapeError(net(), [1, 3, 28, 28], "fc");
 * ```
 *
 * `expectSummary` compares the whole summary with a text that is kept in a file.
 */
import { ShapeError } from "../graph/builder.ts";
import { nearest } from "../nearest.ts";
import { type Module, parameterCount } from "../nn/mod.ts";
import { formatShape, sameShape, type Shape } from "../shape.ts";
import { commas } from "../summary/format.ts";
import { summarise, type SummaryOptions } from "../summary/summary.ts";
import { diffLines } from "./diff.ts";
import { snapshotOf } from "./snapshot.ts";

/** What test runners know as a failed assertion. */
export class ExpectationError extends Error {
  override readonly name = "AssertionError";

  constructor(message: string, readonly actual: unknown, readonly expected: unknown) {
    super(message);
  }
}

/** The network makes `output` of `input`, both with the batch: `[1, 3, 224, 224]` and `[1, 1000]`. */
export function expectShape(model: Module, input: Shape, output: Shape, options: SummaryOptions = {}): void {
  const found = summarise(model, input, options).output;
  if (sameShape(found, output)) return;
  throw new ExpectationError(
    `${model.constructor.name} makes ${formatShape(found)} of ${formatShape(input)}, expected ${
      formatShape(output)
    }`,
    found,
    output,
  );
}

/** Modules, by path, make these shapes in their first call. All that differ are listed. */
export function expectLayers(
  model: Module,
  input: Shape,
  outputs: Readonly<Record<string, Shape>>,
  options: SummaryOptions = {},
): void {
  const layers = new Map(summarise(model, input, options).layers.map((layer) => [layer.path, layer]));
  const wrong: string[] = [];
  const actual: Record<string, Shape | undefined> = {};
  for (const [path, expected] of Object.entries(outputs)) {
    const layer = layers.get(path);
    const [found] = layer?.outputs ?? [];
    actual[path] = found;
    if (found && sameShape(found, expected)) continue;
    const instead = found
      ? `makes ${formatShape(found)}`
      : layer
      ? "does not run"
      : `is not there, did you mean ${nearest(path, [...layers.keys()].filter((known) => known !== ""))}?`;
    wrong.push(`${path} ${instead}${layer ? `, expected ${formatShape(expected)}` : ""}`);
  }
  if (wrong.length === 0) return;
  throw new ExpectationError(`${model.constructor.name}: ${wrong.join("; ")}`, actual, outputs);
}

/** The network has `count` parameters, used or not, each counted once. */
export function expectParameters(model: Module, count: number): void {
  const found = parameterCount(model);
  if (found === count) return;
  throw new ExpectationError(
    `${model.constructor.name} has ${commas(found)} parameters, expected ${commas(count)}`,
    found,
    count,
  );
}

/**
 * The network refuses this input with a `ShapeError` that names `layer`, such as one where the image vanishes: when it runs
 * or, given as a function that makes it, when it is made. Returns the error's message.
 */
export function expectShapeError(
  model: Module | (() => Module),
  input: Shape,
  layer: string,
  options: SummaryOptions = {},
): string {
  let output: Shape;
  try {
    output = summarise(typeof model === "function" ? model() : model, input, options).output;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const { message } = error;
    if (message.startsWith(`${layer}: `)) return message;
    throw new ExpectationError(`expected a shape error in ${layer}, not: ${message}`, message, layer);
  }
  throw new ExpectationError(
    `the network makes ${formatShape(output)} of ${formatShape(input)}, expected a shape error in ${layer}`,
    output,
    layer,
  );
}

/** What `expectSummary` compares, to be kept in a file. */
export function summaryText(model: Module, input: Shape, options: SummaryOptions = {}): string {
  return snapshotOf(summarise(model, input, options));
}

/** The whole summary is still the same text; where it is not, the error shows the lines that differ. */
export function expectSummary(
  model: Module,
  input: Shape,
  snapshot: string,
  options: SummaryOptions = {},
): void {
  const found = linesOf(summaryText(model, input, options));
  const expected = linesOf(snapshot);
  const diff = diffLines(expected, found);
  if (!diff.some((line) => /^[-+]/.test(line))) return;
  throw new ExpectationError(
    `the summary of ${model.constructor.name} has changed (- expected, + found):\n${diff.join("\n")}`,
    found,
    expected,
  );
}

function linesOf(text: string): string[] {
  return text.trimEnd().split(/\r?\n/);
}
