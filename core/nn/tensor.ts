import type { Shape } from "../shape.ts";
import type { Value } from "../graph/graph.ts";
import type { Tracer } from "./trace.ts";

/** A symbolic tensor: a value of the graph under construction, with a way to add to it. It has a shape, but no numbers. */
export class Tensor {
  constructor(readonly tracer: Tracer, readonly value: Value) {}

  get shape(): Shape {
    return this.value.shape;
  }
}
