import assert from "node:assert/strict";
import fc from "fast-check";
import { GraphBuilder } from "../../../core/graph/builder.ts";
import { f32, type Value } from "../../../core/graph/graph.ts";
import { lowerGraph } from "../../../core/program/lower.ts";
import { bytesOf, planMemory } from "../../../core/program/plan.ts";

/** A graph of random relus and sums over vectors of random lengths; scratch beside some nodes. */
function randomProgram(choices: readonly number[]) {
  const builder = new GraphBuilder();
  const values: Value[] = [1, 40, 200].map((n) => builder.input(`x${n}`, f32([n])));
  for (const choice of choices) {
    const a = values[choice % values.length]!;
    const twins = values.filter(({ shape }) => shape[0] === a.shape[0]);
    const b = twins[(choice >> 3) % twins.length]!;
    values.push(choice % 3 === 0 ? builder.emit("relu", [a], {})[0]! : builder.emit("add", [a, b], {})[0]!);
  }
  builder.output("y", values.at(-1)!);
  return lowerGraph(builder.finish(), (lower, node) => {
    if (node.op === "add") lower.scratch(100);
  });
}

Deno.test("no two buffers share memory while both are needed, unless one takes the other over in place", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 60 }), (choices) => {
      const program = randomProgram(choices);
      const { nodes, outputs } = program.graph;
      const { offsets, arenaBytes } = planMemory(program);
      const lastUse = new Map<Value, number>();
      nodes.forEach((node, at) => node.inputs.forEach((value) => lastUse.set(value, at)));
      for (const value of outputs.values()) lastUse.set(value, nodes.length);
      const spans = nodes.flatMap((node, first) => [
        ...node.outputs.map((value) => {
          const start = offsets.get(value)!;
          return {
            first,
            last: lastUse.get(value) ?? first,
            start,
            end: start + bytesOf(value),
            whole: true,
          };
        }),
        ...(program.scratch.get(node) ?? []).map((piece) => {
          const start = offsets.get(piece)!;
          return { first, last: first, start, end: start + piece.bytes, whole: false };
        }),
      ]);
      for (const a of spans) {
        assert.ok(a.start % 64 === 0 && a.end <= arenaBytes);
        for (const b of spans) {
          if (a === b || a.last < b.first || b.last < a.first || a.end <= b.start || b.end <= a.start) {
            continue;
          }
          // In place: b begins in the very node in which a dies, with the same bytes.
          const [before, after] = a.first <= b.first ? [a, b] : [b, a];
          assert.ok(before.last === after.first && before.start === after.start && before.end === after.end);
          assert.ok(before.whole && after.whole);
        }
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("a chain of activations needs the memory of one", () => {
  const builder = new GraphBuilder();
  let value = builder.input("x", f32([1000]));
  for (let i = 0; i < 10; i++) value = builder.emit("relu", [value], {})[0]!;
  builder.output("y", value);
  assert.equal(planMemory(lowerGraph(builder.finish(), () => {})).arenaBytes, 4032);
});

Deno.test("with guards every buffer has memory of its own", () => {
  const program = randomProgram([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const { offsets } = planMemory(program, { guard: 64 });
  const starts = [...offsets.values()];
  assert.equal(new Set(starts).size, starts.length);
});

Deno.test("no buffer lies in two pieces, and what is larger than a part begins with one", () => {
  const choices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      choices,
      fc.constantFrom(256, 512, 1024),
      fc.integer({ min: 1, max: 3 }),
      (choices, part, parts) => {
        const piece = part * parts, program = randomProgram(choices);
        const { offsets } = planMemory(program, { pieces: { piece, part } });
        for (const [item, start] of offsets) {
          const bytes = "kind" in item ? bytesOf(item) : item.bytes;
          if (bytes > part) assert.equal(start % part, 0);
          else assert.equal(Math.floor(start / piece), Math.floor((start + bytes - 1) / piece));
        }
      },
    ),
  );
});
