/** Choices between ways to compute a node: `autotune` makes them by measurement, and a backend is given them when it is created. */
import type { Node } from "../graph/graph.ts";
import { ownInputs, type WithEpilogue } from "../ops/epilogue.ts";

/** Ways to compute nodes, each by its name, by the nodes' names. */
export type Choices = ReadonlyMap<string, string>;

/** What can be chosen in a backend. */
export interface Tuning {
  /** Under what measurements are remembered: all that they depend on beside the node. */
  readonly key: string;
  /** Under what name a choice for the node is remembered. */
  nameOf(node: Node): string;
  /** The ways to compute it that are worth measuring; fewer than two where there is nothing to choose. */
  waysFor(node: Node): readonly string[];
  /** Whether there is a way of this name. */
  knows(way: string): boolean;
}

/** Such as `conv2d 8x64x56x56 64x64x3x3 stride 1,1 padding 1,1,1,1`: all that the time depends on. */
export function nameOf({ op, inputs, attrs }: Node): string {
  const { epilogue, ...own } = attrs as WithEpilogue;
  // After the factors of a product, a bias may follow.
  const shapes = ownInputs(inputs, { epilogue: epilogue ?? [] }).slice(0, 2).map(({ shape }) =>
    shape.join("x")
  );
  const settings = Object.entries(own).map(([name, value]) => `${name} ${value}`);
  return [op, ...shapes, ...settings].join(" ");
}
