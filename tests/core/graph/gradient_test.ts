import assert from "node:assert/strict";
import { GraphBuilder } from "../../../core/graph/builder.ts";
import { f32, type Value } from "../../../core/graph/graph.ts";
import { gradient } from "../../../core/graph/gradient.ts";

Deno.test("a gradient is told of when it is whole, and nothing reads its value after that", () => {
  const builder = new GraphBuilder();
  const [a, b, unused] = ["a", "b", "unused"].map((name) => builder.state(name, f32([3]))) as [
    Value,
    Value,
    Value,
  ];
  const square = builder.emit("multiply", [a, a], {})[0]!;
  const product = builder.emit("multiply", [square, b], {})[0]!;
  const y = builder.emit("multiply", [product, a], {})[0]!;
  const told: { value: Value; gradient: Value; nodes: number }[] = [];
  const seed = builder.input("seed", f32([3]));
  const grads = gradient(builder, y, seed, [a, b, unused], (value, gradient) => {
    told.push({ value, gradient, nodes: builder.nodes.length });
  });
  assert.deepEqual(
    told.map(({ value }) => value.name),
    ["b", "a"],
    "b is read last, so its gradient is first",
  );
  for (const { value, gradient, nodes } of told) {
    assert.equal(gradient, grads.get(value));
    assert.ok(builder.nodes.slice(0, nodes).some(({ outputs }) => outputs.includes(gradient)));
    assert.ok(!builder.nodes.slice(nodes).some(({ inputs }) => inputs.includes(value)));
  }
});
