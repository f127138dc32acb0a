/**
 * The table of torchsummary 1.5.1 (https://github.com/sksq96/pytorch-summary), character for character, with its
 * ways: one row a call, so that a module that runs twice is listed and counted twice; a composite module stands behind
 * its parts, Sequential not at all; only `weight` and `bias` count as parameters, and a layer is trainable if its weight
 * is; 1 MB is 1,048,576 bytes; results count twice, for their gradients.
 */
import { Module, type ModuleCall, Parameter, Sequential } from "../nn/mod.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import { commas, twoDecimals } from "./format.ts";

export interface ClassicRow {
  readonly type: string;
  readonly outputs: readonly Shape[];
  readonly parameters: number;
  readonly trainable: boolean;
}

export function classicRows(model: Module, calls: readonly ModuleCall[]): ClassicRow[] {
  const hooks = countHooks(model);
  return calls.flatMap(({ module, outputs }) => {
    const { weight, bias } = module as { weight?: unknown; bias?: unknown };
    const row = {
      type: module.constructor.name,
      outputs,
      parameters: [weight, bias].reduce<number>(
        (sum, item) => item instanceof Parameter ? sum + sizeOf(item.shape) : sum,
        0,
      ),
      trainable: weight instanceof Parameter && weight.requires_grad,
    };
    return new Array<ClassicRow>(hooks.get(module) ?? 0).fill(row);
  });
}

/** The table, without a line end. `batch` is torchsummary's `batch_size`: −1 where it is left open. */
export function classicText(rows: readonly ClassicRow[], input: Shape, batch = -1): string {
  const withBatch = (shape: Shape) => [batch, ...shape.slice(1)];
  const shapeOf = ({ outputs }: ClassicRow) => {
    const [only] = outputs;
    // A list of results always leaves the batch open.
    return outputs.length === 1 ? [withBatch(only!)] : outputs.map((shape) => [-1, ...shape.slice(1)]);
  };
  const megabytes = (numbers: number) => Math.abs(numbers * 4 / 1024 ** 2);

  let parameters = 0;
  let trainable = 0;
  let results = 0;
  const lines = rows.map((row, index) => {
    const shapes = shapeOf(row);
    parameters += row.parameters;
    if (row.trainable) trainable += row.parameters;
    results += shapes.reduce((product, shape) => product * sizeOf(shape), 1);
    const shape = shapes.length === 1 ? formatShape(shapes[0]!) : `[${shapes.map(formatShape).join(", ")}]`;
    return line(`${row.type}-${index + 1}`, shape, commas(row.parameters));
  });
  const sizes = [megabytes(sizeOf(withBatch(input))), megabytes(2 * results), megabytes(parameters)] as const;
  return [
    "-".repeat(64),
    line("Layer (type)", "Output Shape", "Param #"),
    "=".repeat(64),
    ...lines,
    "=".repeat(64),
    `Total params: ${commas(parameters)}`,
    `Trainable params: ${commas(trainable)}`,
    `Non-trainable params: ${commas(parameters - trainable)}`,
    "-".repeat(64),
    `Input size (MB): ${twoDecimals(sizes[0])}`,
    `Forward/backward pass size (MB): ${twoDecimals(sizes[1])}`,
    `Params size (MB): ${twoDecimals(sizes[2])}`,
    `Estimated Total Size (MB): ${twoDecimals(sizes[2] + sizes[1] + sizes[0])}`,
    "-".repeat(64),
  ].join("\n");
}

function line(layer: string, shape: string, parameters: string): string {
  return `${layer.padStart(20)}  ${shape.padStart(25)} ${parameters.padStart(15)}`;
}

/** How many rows a call of each module gets: one for each module that holds it, as torchsummary's hooks pile up. */
function countHooks(model: Module): Map<Module, number> {
  const hooks = new Map<Module, number>();
  const visit = (module: Module) => {
    const children = new Set(Object.values(module).filter((item) => item instanceof Module));
    for (const child of children) visit(child);
    if (module === model || module instanceof Sequential) return;
    hooks.set(module, (hooks.get(module) ?? 0) + 1);
  };
  visit(model);
  return hooks;
}
