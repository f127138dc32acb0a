/** Kernels on many tensors: which of them share a dispatch, wherever memory's plan puts them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createWebgpuBackend, type WebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { type Bound, elementBytes, type Kernel, type Window } from "../../core/backend/webgpu/kernel.ts";
import { layOut, type MemoryLimits } from "../../core/backend/webgpu/memory.ts";
import { lowerWith } from "../../core/backend/webgpu/lower/mod.ts";
import { dispatchesOf, type Many, workgroupsOf } from "../../core/backend/webgpu/many.ts";
import { classification } from "../../core/train/classification.ts";
import { runGraphs } from "../../core/train/run_graphs.ts";
import { createTrainer } from "../../core/train/trainer.ts";
import { align, withinPieces } from "../../core/program/plan.ts";
import type { Scratch } from "../../core/program/program.ts";
import { assertClose } from "../support/close.ts";
import { onWebgpu } from "../support/on_backends.ts";
import { backendFor } from "../support/run_op.ts";
import { tinyData, TinyNet } from "../support/tiny.ts";

const BINDING = 4096, PIECE = 3 * BINDING, STRETCH = 512;

/** p and m lie in memory that is written, in any order; g elsewhere; `parts` is written and shared by all. */
const roles = {
  p: { element: "vec4f", reads: true, writes: true },
  g: { element: "vec4f", reads: true, writes: false },
  m: { element: "vec4f", reads: true, writes: true },
  parts: { element: "f32", reads: false, writes: true, shared: true },
} as const;

/** Places tensors as memory's plan does, in the order of `order`. */
function placed(sizes: readonly number[], order: readonly number[], gap: number) {
  const places = new Map<Scratch, Window>();
  const ends = { states: 0, arena: gap * 256 };
  const take = (space: "states" | "arena", bytes: number): Scratch => {
    const item = { id: places.size, bytes };
    const offset = withinPieces(ends[space], bytes, { piece: PIECE, part: BINDING });
    ends[space] = offset + align(bytes, 256);
    places.set(item, { space, offset, bytes });
    return item;
  };
  const items: Scratch[][] = sizes.map(() => []);
  const parts = take("arena", 64);
  for (const [role, space] of [["p", "states"], ["g", "arena"], ["m", "states"]] as const) {
    const place = Object.keys(roles).indexOf(role);
    for (const i of order) items[i]![place] = take(space, 4 * sizes[i]!);
  }
  items.forEach((own) => own[3] = parts);
  return { items, places };
}

/** The bytes of memory that a dispatch's workgroups reach through a role, as `space:byte`, each time. */
function* reached({ buffers, numbers }: Kernel, role: keyof typeof roles): Generator<string> {
  const { words } = buffers["table"]!.item as { words: readonly number[] };
  const window = buffers[role]!.item as Window, size = elementBytes[roles[role].element];
  const at = 3 + Object.keys(roles).indexOf(role);
  for (let work = 0; work < (numbers["groups"] as number); work++) {
    const record = words[work]!;
    const first = (work - words[record]!) * STRETCH / size, count = words[record + 2]!;
    for (let i = first; i < Math.min(first + STRETCH / size, count); i++) {
      yield `${window.space}:${window.offset + (words[record + at]! + i) * size}`;
    }
  }
}

/** The numbers of a dispatch's workgroups among those of all dispatches. */
function orders({ buffers, numbers }: Kernel): number[] {
  const { words } = buffers["table"]!.item as { words: readonly number[] };
  return Array.from({ length: numbers["groups"] as number }, (_, work) => {
    const record = words[work]!;
    return words[record + 1]! + work - words[record]!;
  });
}

Deno.test("every element of many tensors is reached once, through windows that WebGPU can bind", () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3000 })), {
    minLength: 1,
    maxLength: 12,
  });
  const shuffled = sizes.chain((sizes) =>
    fc.record({
      sizes: fc.constant(sizes),
      order: fc.shuffledSubarray(sizes.map((_, i) => i), { minLength: sizes.length }),
      gap: fc.nat(20),
    })
  );
  fc.assert(
    fc.property(shuffled, ({ sizes, order, gap }) => {
      const { items, places } = placed(sizes, order, gap);
      const many: Many = {
        kernel: "test",
        code: "",
        buffers: {},
        numbers: {},
        roles,
        sets: items.map((own, i) => ({ items: own, bytes: 4 * sizes[i]!, numbers: [] })),
        stretch: STRETCH,
      };
      const placeOf = (item: Bound["item"]) => places.get(item as Scratch)!;
      const kernels = dispatchesOf(many, placeOf, { piece: PIECE, binding: BINDING });
      for (const { buffers } of kernels) {
        const windows = new Set(Object.keys(roles).map((role) => buffers[role]!.item as Window));
        for (const { offset, bytes } of windows) {
          assert.equal(offset % 256, 0);
          assert.ok(bytes <= BINDING);
          assert.equal(Math.floor(offset / PIECE), Math.floor((offset + bytes - 1) / PIECE));
        }
        // p, m and parts are written, and g lies beside parts.
        const all = [...windows];
        all.forEach((a, i) =>
          all.slice(i + 1).forEach((b) =>
            assert.ok(
              a.space !== b.space || a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset,
              "windows overlap",
            )
          )
        );
      }
      const count = sizes.reduce((sum, size) => sum + workgroupsOf(4 * size, many, BINDING), 0);
      assert.deepEqual(
        kernels.flatMap(orders).sort((a, b) => a - b),
        Array.from({ length: count }, (_, i) => i),
      );
      for (const role of ["p", "g", "m"] as const) {
        const found = kernels.flatMap((kernel) => [...reached(kernel, role)]);
        const place = Object.keys(roles).indexOf(role);
        const expected = items.flatMap((own, i) => {
          const { space, offset } = places.get(own[place]!)!;
          return Array.from({ length: Math.ceil(sizes[i]! / 4) }, (_, k) => `${space}:${offset + 16 * k}`);
        });
        assert.deepEqual(found.sort(), expected.sort());
      }
    }),
    { numRuns: 200 },
  );
});

/** With everything that a step may do beside its update. */
const extras = {
  model: new TinyNet(),
  data: tinyData(),
  batch_size: 8,
  optimizer: { name: "adamw" } as const,
  task: classification(),
  clip_grad: 1,
  accumulate: 2,
  ema_decay: 0.9,
};

Deno.test("a step updates, gathers, measures and averages all tensors in one dispatch each", () => {
  const limits: MemoryLimits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 };
  const { prepared } = layOut(
    runGraphs(extras),
    limits,
    lowerWith({ workgroupBytes: 16384, subgroups: undefined, half: false, exact: false }),
  );
  const { calls } = prepared.get("train")!.program;
  const counts = ["accumulate", "square_sums", "clip_factor", "adam", "ema"].map((name) =>
    calls.filter(({ kernel }) => kernel === name).length
  );
  assert.deepEqual(counts, [1, 1, 1, 1, 1]);
});

onWebgpu("tensors that no single window reaches are trained as others are", async () => {
  const { gpu } = await backendFor("webgpu") as WebgpuBackend;
  const train = async (limits?: MemoryLimits) => {
    const backend = await createWebgpuBackend({ gpu, ...(limits ? { limits } : {}) });
    const trainer = createTrainer({ ...extras, backend, epochs: 1, lr: () => 0.01, seed: 5 });
    const { session } = trainer;
    await trainer.initialise();
    for (let step = 0; step < 4; step++) await trainer.step();
    const states = await Promise.all(session.stateNames.map((name) => session.readState(name)));
    const names = session.stateNames;
    session.dispose();
    return new Map(names.map((name, i) => [name, states[i]!]));
  };
  const expected = await train();
  const found = await train({ maxStorageBufferBindingSize: 6144, maxBufferSize: 6144 });
  for (const [name, data] of expected) {
    assertClose(found.get(name), data, { absolute: 2e-6, relative: 2e-5 }, name);
  }
});
