/**
 * Every network of the registry, by what its reference says. networks.json has, for each: parameters and smallest image
 * as published (torchvision's documentation, Keras's, the authors'; by hand where nobody says), multiply-accumulates and a
 * digest of the state_dict as PyTorch counts them, and the layer at which a smaller image vanishes.
 */
import assert from "node:assert/strict";
import type { Graph, Node } from "../../core/graph/graph.ts";
import * as nn from "../../core/nn/mod.ts";
import { type OpName, opOf } from "../../core/ops/mod.ts";
import { formatShape } from "../../core/shape.ts";
import { summarise } from "../../core/summary/summary.ts";
import { expectParameters, expectShape, expectShapeError } from "../../core/testing/shapes.ts";
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

/** Detectors take square images and have another output than scores: their cells in a row at 192 × 192. */
const CELLS: Readonly<Record<string, number>> = { yolov1: 3, yolov1_squeezenet: 6, yolov1_darknet53: 3 };

function otherInput(name: string): { input_size: [number, number]; outputs: number } {
  const cells = CELLS[name];
  if (cells !== undefined) return { input_size: [192, 192], outputs: cells * cells * (7 + 5 * 2) };
  const [, height, width] = models[name]!.input;
  return { input_size: [height + 32, width + 64], outputs: 7 };
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

Deno.test("the fixture knows every network", () => {
  assert.deepEqual(Object.keys(facts), Object.keys(models));
});

for (const [name, entry] of Object.entries(models)) {
  const { params, macs, state_dict, min_size, vanishes } = facts[name]!;
  const outputs = entry.outputs ?? entry.num_classes;

  Deno.test(`${name}: parameters, arithmetic and names are the reference's`, async () => {
    const model = entry.create();
    const graph = nn.trace(model, [1, ...entry.input], { training: false });
    expectShape(model, [1, ...entry.input], [1, outputs]);
    expectParameters(model, params);
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
    expectShape(model, [2, 1, ...input_size], [2, outputs]);
  });

  Deno.test(`${name}: images that are too small vanish in a layer with a name`, () => {
    const made = (size: number): AnyModelOptions =>
      name === "yolov1" ? { split_size: 1 } : { input_size: [size, size] };
    const create = (size: number) => entry.create(made(size));
    assert.equal(summarise(create(min_size), [2, 3, min_size, min_size]).output[0], 2);
    if (vanishes === undefined) return assert.equal(min_size, 1);
    const size = min_size - 1;
    const message = expectShapeError(() => create(size), [2, 3, size, size], vanishes);
    assert.match(message, /: the image vanishes here$/);
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
