/**
 * Every network of the registry, by what its reference says. networks.json has, for each: parameters and smallest image
 * as published (torchvision's documentation, Keras's, the authors'; by hand where nobody says), multiply-accumulates and a
 * digest of the state_dict as PyTorch counts them, and the layer at which a smaller image vanishes.
 */
import assert from "node:assert/strict";
import { ShapeError } from "../../core/graph/builder.ts";
import type { Graph, Node } from "../../core/graph/graph.ts";
import * as nn from "../../core/nn/mod.ts";
import { type OpName, opOf } from "../../core/ops/mod.ts";
import { formatShape, type Shape, sizeOf } from "../../core/shape.ts";
import { type AnyModelOptions, models } from "../../models/registry.ts";
import networks from "./networks.json" with { type: "json" };

interface Facts {
  readonly params: number;
  readonly macs?: number;
  /** The first 16 hexadecimal digits of the SHA-256 of lines `name [shape]`. */
  readonly state_dict?: string;
  readonly min_size: number;
  readonly vanishes?: string;
}

const facts: Readonly<Record<string, Facts>> = networks;

/** YOLOv1 takes images of 64 pixels a cell, and has another output than scores. */
const S = 3;

function otherInput(name: string): { input_size: [number, number]; outputs: number } {
  if (name === "yolov1") return { input_size: [64 * S, 64 * S], outputs: S * S * (7 + 5 * 2) };
  const [, height, width] = models[name]!.input;
  return { input_size: [height + 32, width + 64], outputs: 7 };
}

function paramsOf(model: nn.Module): number {
  return [...nn.namedParameters(model).values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function macsOf({ nodes }: Graph): number {
  const macs = <K extends OpName>({ op, inputs, outputs, attrs }: Node<K>) =>
    opOf(op).macs?.(inputs, outputs, attrs) ?? 0;
  return nodes.reduce((sum, node) => sum + macs(node), 0);
}

async function digestOf(lines: readonly string[]): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.join("\n")));
  return new Uint8Array(hash).toHex().slice(0, 16);
}

function outputShape(model: nn.Module, input: Shape): Shape | undefined {
  return nn.trace(model, input, { training: false }).outputs.get("y")?.shape;
}

Deno.test("the fixture knows every network", () => {
  assert.deepEqual(Object.keys(facts), Object.keys(models));
});

for (const [name, entry] of Object.entries(models)) {
  const { params, macs, state_dict, min_size, vanishes } = facts[name]!;
  const outputs = entry.outputs ?? entry.num_classes;

  Deno.test(`${name}: parameters, arithmetic and names are the reference's`, async () => {
    const model = entry.create();
    const graph = nn.trace(model, [1, ...entry.input], { training: false });
    assert.deepEqual(graph.outputs.get("y")?.shape, [1, outputs]);
    assert.equal(paramsOf(model), params);
    if (macs !== undefined) assert.equal(macsOf(graph), macs);
    if (state_dict === undefined) return;
    // The published file of ResNet-20 is older than batch counters.
    const entries = [...nn.stateDict(model)].filter(([, item]) =>
      name !== "resnet20" || !(item instanceof nn.Counter)
    );
    assert.equal(
      await digestOf(entries.map(([key, { shape }]) => `${key} ${formatShape(shape)}`)),
      state_dict,
    );
  });

  Deno.test(`${name}: another image size, one channel, seven classes`, () => {
    const { input_size, outputs } = otherInput(name);
    const model = entry.create({ input_size, in_channels: 1, num_classes: 7 });
    assert.deepEqual(outputShape(model, [2, 1, ...input_size]), [2, outputs]);
  });

  Deno.test(`${name}: images that are too small vanish in a layer with a name`, () => {
    const made = (size: number): AnyModelOptions =>
      name === "yolov1" ? { split_size: 1 } : { input_size: [size, size] };
    const run = (size: number) => outputShape(entry.create(made(size)), [2, 3, size, size]);
    assert.equal(run(min_size)?.[0], 2);
    if (vanishes === undefined) return assert.equal(min_size, 1);
    assert.throws(() => run(min_size - 1), (error) => {
      assert.ok(error instanceof ShapeError);
      assert.match(error.message, new RegExp(`^${vanishes}: .*: the image vanishes here$`));
      return true;
    });
  });

  Deno.test(`${name}: all its parameters are trained`, () => {
    const model = entry.create();
    const tracer = new nn.Tracer(model, { training: true });
    const [channels, height, width] = entry.input;
    model.forward(tracer.input("x", { shape: [2, channels, height, width], dtype: "f32" }));
    const unused = [...nn.namedParameters(model).keys()].filter((key) => !tracer.builder.states.has(key));
    // Its blocks own projections that they do not all use.
    if (name === "resnet50_layer4") {
      assert.ok(unused.length > 0 && unused.every((key) => key.includes("make_equal_channel")));
    } else assert.deepEqual(unused, []);
  });
}
