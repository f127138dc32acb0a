/** Tracing: running a model's forward on symbolic tensors writes its graph down, shapes checked on the way. */
import { GraphBuilder } from "../graph/builder.ts";
import { f32, type Graph, i32, type TensorType, type Value } from "../graph/graph.ts";
import type { AttrsOf, OpName } from "../ops/mod.ts";
import type { Shape } from "../shape.ts";
import { Buffer, type Counter, type Module, namedModules, type Parameter, stateDict } from "./module.ts";
import { type ModelOutput, scoresOf } from "./output.ts";
import { Tensor } from "./tensor.ts";

export class Tracer {
  readonly builder: GraphBuilder;
  /** Whether layers that tell the two apart (dropout, batch norm) act as in training. */
  readonly training: boolean;
  readonly #modulePaths: ReadonlyMap<Module, string>;
  readonly #stateNames: ReadonlyMap<Parameter | Buffer | Counter, string>;
  #streams = 0;

  constructor(model: Module, options: { training: boolean; builder?: GraphBuilder }) {
    this.builder = options.builder ?? new GraphBuilder();
    this.training = options.training;
    this.#modulePaths = namedModules(model);
    this.#stateNames = new Map([...stateDict(model)].map(([name, item]) => [item, name]));
  }

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

  state(item: Parameter | Buffer): Value {
    const name = this.#stateNames.get(item);
    if (name === undefined) {
      const kind = item instanceof Buffer ? "buffer" : "parameter";
      throw new Error(
        `${this.builder.scope || "the network"} uses a ${kind} that is no property of any module`,
      );
    }
    return this.builder.state(name, f32(item.shape));
  }

  /** Adds an op whose first output is all that matters. */
  apply<K extends OpName>(op: K, inputs: readonly Value[], attrs: AttrsOf<K>): Tensor {
    return new Tensor(this, this.builder.emit(op, inputs, attrs)[0]!);
  }

  within<Result>(module: Module, body: () => Result): Result {
    const { builder } = this;
    const { scope, layer } = builder;
    builder.scope = this.#modulePaths.get(module) ?? scope;
    builder.layer = module.constructor.name;
    try {
      return body();
    } finally {
      builder.scope = scope;
      builder.layer = layer;
    }
  }
}

/**
 * The graph of a model on inputs of shape `[N, C, H, W]`: input `x`, output `y`.
 *
 * ```ts
 * const graph = trace(resnet50(), [1, 3, 224, 224], { training: false });
 * graph.outputs.get("y")?.shape; // [1, 1000]
 * ```
 *
 * Throws `ShapeError`, naming the module, where shapes do not fit.
 */
export function trace(model: Module, shape: Shape, options: { training: boolean }): Graph {
  const tracer = new Tracer(model, options);
  const output: ModelOutput = model.forward(tracer.input("x", f32(shape)));
  tracer.builder.output("y", scoresOf(output).value);
  return tracer.builder.finish();
}

/**
 * The shape that a part of a model makes of inputs of shape `[N, C, H, W]`: for constructors whose next layer depends
 * on it, such as the first linear layer after convolutions.
 */
export function shapeAfter(model: Module, shape: Shape, part: (x: Tensor) => Tensor): Shape {
  return part(new Tracer(model, { training: false }).input("x", f32(shape))).shape;
}
