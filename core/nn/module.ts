/**
 * Modules as in PyTorch: a tree of layers whose property paths are the names in a state_dict.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import * as nn from "./mod.ts";
 *
 * class Net extends nn.Module {
 *   conv1 = new nn.Conv2d(3, 16, 3, { padding: 1 });
 *   fc = new nn.Linear(16, 10);
 *   forward(x: nn.Tensor) {
 *     x = nn.relu(this.conv1.forward(x));
 *     return this.fc.forward(nn.flatten(nn.adaptiveAvgPool2d(x, 1)));
 *   }
 * }
 *
 * const names = [...nn.stateDict(new Net()).keys()];
 * assert.deepEqual(names, ["conv1.weight", "conv1.bias", "fc.weight", "fc.bias"]);
 * assert.equal(nn.parameterCount(new Net()), 618);
 * ```
 */
import { UserError } from "../errors.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Init } from "./init.ts";
import { Tensor } from "./tensor.ts";

/** A tensor that training changes. It has a shape and an initial value, but no numbers: those live in a session. */
export class Parameter {
  /** Set it to false to freeze the parameter: training leaves it as it is. */
  requires_grad = true;

  constructor(readonly shape: Shape, public init: Init) {}
}

/** A tensor that belongs to the state_dict but that no gradient changes: running statistics. */
export class Buffer {
  constructor(readonly shape: Shape, readonly init: Init) {}
}

/** Counts batches in training mode: `num_batches_tracked`, an integer in the state_dict that no kernel reads. */
export class Counter {
  readonly shape: Shape = [];
}

/** What networks and layers extend. A layer that is a property belongs to the module; one in a plain list does not. */
export abstract class Module {
  constructor() {
    // Calling forward enters the module, so that its ops know where they come from.
    const forward = this.forward;
    this.forward = (...args) => {
      const tensors = args.flat().filter((arg) => arg instanceof Tensor);
      const [tensor] = tensors;
      if (!tensor) {
        throw new UserError(`${this.constructor.name}.forward needs a Tensor, and got ${typeof args[0]}`);
      }
      return tensor.tracer.within(this, tensors, () => forward.apply(this, args));
    };
  }

  /** What the module computes. */
  // deno-lint-ignore no-explicit-any -- arguments and results are each module's own business
  abstract forward(...args: any[]): any;
}

/** Modules under other modules, by path, the root (path "") first; a shared module stands under its first path only. */
export function namedModules(root: Module): Map<Module, string> {
  const paths = new Map<Module, string>();
  const visit = (module: Module, path: string) => {
    if (paths.has(module)) return;
    paths.set(module, path);
    for (const [name, child] of Object.entries(module)) {
      if (child instanceof Module) visit(child, join(path, name));
    }
  };
  visit(root, "");
  return paths;
}

/** The module itself and all modules under it, each once: PyTorch's `modules()`. */
export function modules(root: Module): Iterable<Module> {
  return namedModules(root).keys();
}

/** Everything in a module's state_dict, in PyTorch's order: own tensors before those of submodules. */
export function stateDict(root: Module): Map<string, Parameter | Buffer | Counter> {
  const entries = new Map<string, Parameter | Buffer | Counter>();
  const seen = new Set<unknown>();
  for (const [module, path] of namedModules(root)) {
    const own = Object.entries(module).filter(([, item]) => isState(item) && !seen.has(item));
    for (const kind of own.length > 0 ? [Parameter, Buffer, Counter] : []) {
      for (const [name, item] of own) {
        if (!(item instanceof kind)) continue;
        seen.add(item);
        entries.set(join(path, name), item);
      }
    }
  }
  return entries;
}

function isState(item: unknown): boolean {
  return item instanceof Parameter || item instanceof Buffer || item instanceof Counter;
}

/** The parameters in a module's state_dict, by name. */
export function namedParameters(root: Module): Map<string, Parameter> {
  return new Map(
    [...stateDict(root)].filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter),
  );
}

/** How many numbers training can change. */
export function parameterCount(root: Module): number {
  return [...namedParameters(root).values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
