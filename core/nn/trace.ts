/** Tracing: running a model's forward on symbolic tensors writes its graph down, shapes checked on the way. */
import { UserError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { f32, type Graph, i32, type TensorType, type Value } from "../graph/graph.ts";
import type { AttrsOf, OpName } from "../ops/mod.ts";
import type { Shape } from "../shape.ts";
import { Buffer, type Counter, type Module, namedModules, type Parameter, stateDict } from "./module.ts";
import { type ModelOutput, scoresOf } from "./output.ts";
import { Tensor } from "./tensor.ts";

/** One run of a module's forward. */
export interface ModuleCall {
  readonly module: Module;
  /** The module's path; of a shared module the first one. */
  readonly path: string;
  /** Shapes of the tensors that it was given, and of those that it returned. */
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
  /** Its nodes, and those of the modules that it called: `nodes[start]` … `nodes[end - 1]` of the graph. */
  readonly start: number;
  readonly end: number;
}

/** What a model's forward writes its ops to while it is traced. Every `Tensor` knows its tracer. */
export class Tracer {
  readonly builder: GraphBuilder;
  /** Whether layers that tell the two apart (dropout, batch norm) act as in training. */
  readonly training: boolean;
  readonly #modulePaths: ReadonlyMap<Module, string>;
  readonly #stateNames: ReadonlyMap<Parameter | Buffer | Counter, string>;
  readonly #rename: (name: string) => string;
  readonly #calls: ModuleCall[] = [];
  #streams = 0;

  /** `stateName` gives the graph's names for the model's parameters and buffers; by default their own. */
  constructor(
    model: Module,
    options: { training: boolean; builder?: GraphBuilder; stateName?: (name: string) => string },
  ) {
    this.builder = options.builder ?? new GraphBuilder();
    this.training = options.training;
    this.#rename = options.stateName ?? ((name) => name);
    this.#modulePaths = namedModules(model);
    this.#stateNames = new Map([...stateDict(model)].map(([name, item]) => [item, name]));
  }

  /** An input of the graph, as a tensor; the same name gives the same input again. */
  input(name: string, type: TensorType): Tensor {
    return new Tensor(this, this.builder.input(name, type));
  }

  /** The random key of the run: i32 [4], see core/ops/random.ts. */
  rng(): Value {
    return this.builder.input("rng", i32([4]));
  }

  /** A number for each layer that draws random numbers, the same in each trace of the same model. */
  nextStream(): number {
    return this.#streams++;
  }

  /** A parameter or buffer of the model, as a value of the graph. Throws `UserError` where the model does not own it. */
  state(item: Parameter | Buffer): Value {
    const name = this.#stateNames.get(item);
    if (name === undefined) {
      const kind = item instanceof Buffer ? "buffer" : "parameter";
      throw new UserError(
        `${this.builder.scope || "the network"} uses a ${kind} that is no property of any module: ` +
          "give each layer a property of its own, or put layers into a Sequential instead of a list",
      );
    }
    return this.builder.state(this.#rename(name), f32(item.shape));
  }

  /** Adds an op and returns its first output. */
  apply<K extends OpName>(op: K, inputs: readonly Value[], attrs: AttrsOf<K>): Tensor {
    return new Tensor(this, this.builder.emit(op, inputs, attrs)[0]!);
  }

  /** The calls so far, in the order in which they returned: a module comes after those that it called. */
  get calls(): readonly ModuleCall[] {
    return this.#calls;
  }

  /** Runs a module's forward, `body`: ops that it adds are marked as the module's, and the call is kept in `calls`. */
  within<Result>(module: Module, inputs: readonly Tensor[], body: () => Result): Result {
    const { builder } = this;
    const { scope, layer } = builder;
    const start = builder.nodes.length;
    const path = this.#modulePaths.get(module) ?? scope;
    builder.scope = path;
    builder.layer = module.constructor.name;
    try {
      const result = body();
      this.#calls.push({
        module,
        path,
        inputs: inputs.map(({ shape }) => shape),
        outputs: tensorsIn(result).map(({ shape }) => shape),
        start,
        end: builder.nodes.length,
      });
      return result;
    } finally {
      builder.scope = scope;
      builder.layer = layer;
    }
  }
}

/** Tensors of what a module returns: one, a list, or a record such as `ModelOutput`. */
function tensorsIn(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return typeof result === "object" && result !== null ? Object.values(result).flatMap(tensorsIn) : [];
}

/**
 * The graph of a model on inputs of shape `[N, C, H, W]`: input `x`, output `y`.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { resnet50 } from "../../models/resnet.ts";
 *
 * const graph = trace(resnet50(), [1, 3, 224, 224], { training: false });
 * assert.deepEqual(graph.outputs.get("y")?.shape, [1, 1000]);
 * ```
 *
 * Throws `ShapeError`, naming the module, where shapes do not fit.
 */
export function trace(model: Module, shape: Shape, options: { training: boolean }): Graph {
  return traceCalls(model, shape, options).graph;
}

/** The same, with the calls of modules that made it, see `Tracer.calls`. */
export function traceCalls(
  model: Module,
  shape: Shape,
  options: { training: boolean },
): { graph: Graph; calls: readonly ModuleCall[] } {
  const tracer = new Tracer(model, options);
  const output: ModelOutput = model.forward(tracer.input("x", f32(shape)));
  tracer.builder.output("y", scoresOf(output).value);
  return { graph: tracer.builder.finish(), calls: tracer.calls };
}

/**
 * The shape that a part of a model makes of inputs of shape `[N, C, H, W]`: for constructors whose next layer depends
 * on it, such as the first linear layer after convolutions. Throws `ShapeError` where shapes do not fit.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { MaxPool2d } from "./mod.ts";
 *
 * const pool = new MaxPool2d(2);
 * assert.deepEqual(shapeAfter(pool, [1, 64, 28, 28], (x) => pool.forward(x)), [1, 64, 14, 14]);
 * ```
 */
export function shapeAfter(model: Module, shape: Shape, part: (x: Tensor) => Tensor): Shape {
  return part(new Tracer(model, { training: false }).input("x", f32(shape))).shape;
}
