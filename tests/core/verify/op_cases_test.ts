/** What PyTorch leaves open in its arguments, as golden files may have it. References by hand or by the same op elsewhere. */
import { equal, match } from "node:assert/strict";
import { type Outcome, outcomeOf } from "../../../core/verify/case.ts";
import { signed } from "../../../core/verify/fill.ts";
import type { GoldenTensor } from "../../../core/verify/golden.ts";
import { opCases, type OpEntry } from "../../../core/verify/op_cases.ts";
import { sizeOf } from "../../../core/shape.ts";
import { backendFor } from "../../support/run_op.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

type Case = Omit<OpEntry, "name" | "results">;

/** Runs a case whose results are given as numbers. */
async function run(given: Case, results: Record<string, ArrayLike<number>>): Promise<Outcome> {
  const name = "case";
  const entry: OpEntry = { ...given, name, results: mapped(results, ({ length }) => [length]) };
  const tensors = new Map<string, GoldenTensor>(
    Object.entries(results).map(([what, data]) => [`${name}/${what}`, { shape: [data.length], data }]),
  );
  const [item] = opCases({ json: new Map([["ops", { cases: [entry] }]]), tensors });
  return outcomeOf(item!, await backendFor());
}

function mapped<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

const shaped = (...shape: number[]) => ({ shape, scale: 1 });
const x = (...shape: number[]) => Array.from(signed("case/x", shape, 1));
const reason = (outcome: Outcome) => "reason" in outcome ? outcome.reason : JSON.stringify(outcome.worst);

Deno.test(
  "linear works along the last axis of inputs of any rank, forward and backward",
  pooled,
  async () => {
    for (const others of [[], [6], [2, 3], [2, 1, 3], [3, 2, 2, 2]]) {
      const rows = sizeOf(others);
      const weight = signed("case/weight", [4, 5], 1), bias = signed("case/bias", [4], 1);
      const input = x(...others, 5), dy = signed("case/grad_y", [...others, 4], 1);
      const y = new Array<number>(rows * 4).fill(0);
      const results = {
        y,
        grad_x: input.map(() => 0),
        grad_weight: Array(20).fill(0),
        grad_bias: Array(4).fill(0),
      };
      for (let row = 0; row < rows; row++) {
        for (let o = 0; o < 4; o++) {
          const slope = dy[row * 4 + o]!;
          y[row * 4 + o] = bias[o]!;
          results.grad_bias[o] += slope;
          for (let i = 0; i < 5; i++) {
            y[row * 4 + o]! += input[row * 5 + i]! * weight[o * 5 + i]!;
            results.grad_x[row * 5 + i]! += slope * weight[o * 5 + i]!;
            results.grad_weight[o * 5 + i] += slope * input[row * 5 + i]!;
          }
        }
      }
      const inputs = { x: shaped(...others, 5), weight: shaped(4, 5), bias: shaped(4) };
      const outcome = await run({ op: "linear", inputs }, results);
      equal(outcome.status, "ok", `${others}: ${reason(outcome)}`);
    }
  },
);

Deno.test("batch norm does without weight, bias and, in training, running statistics", pooled, async () => {
  const [a, b, c, d] = x(2, 2) as [number, number, number, number];
  const normal = (p: number, q: number) => (p - q) / 2 / Math.sqrt(((p - q) / 2) ** 2 + 1e-3);
  const y = [normal(a, c), normal(b, d), normal(c, a), normal(d, b)];
  const trained = { op: "batch_norm", attrs: { training: true, eps: 1e-3 }, inputs: { x: shaped(2, 2) } };
  equal((await run(trained, { y })).status, "ok");
  const evaluated = { ...trained, attrs: { eps: 1e-3 } };
  match(reason(await run(evaluated, { y })), /input 3 is missing/);
});

Deno.test(
  "without a momentum, batch norm's running statistics are the mean of all batches",
  pooled,
  async () => {
    const [a, b, c, d] = x(2, 2) as [number, number, number, number];
    const [first, second] = signed("case/mean", [2], 1) as unknown as [number, number];
    const states = Object.fromEntries(["weight", "bias", "mean", "var"].map((name) => [name, shaped(2)]));
    for (const before of [0, 3]) {
      const attrs = { training: true, momentum: null, ...before > 0 ? { num_batches_tracked: before } : {} };
      const running_mean = [
        (before * first + (a + c) / 2) / (before + 1),
        (before * second + (b + d) / 2) / (before + 1),
      ];
      const outcome = await run({ op: "batch_norm", attrs, inputs: { x: shaped(2, 2), ...states } }, {
        running_mean,
      });
      equal(outcome.status, "ok", reason(outcome));
    }
  },
);

Deno.test("dropout is checked where chance plays no part", pooled, async () => {
  const inputs = { x: shaped(3, 4) }, same = x(3, 4);
  const status = async (attrs: Case["attrs"], y = same) =>
    (await run({ op: "dropout", attrs: attrs!, inputs }, { y })).status;
  equal(await status({ p: 0.5, training: false }), "ok");
  equal(await status({ p: 0, training: true }), "ok");
  equal(await status({ p: 1, training: true }, same.map(() => 0)), "ok");
  equal(await status({ p: 0.5, training: true }), "missing");
});

Deno.test("null is no default, but off where PyTorch has None", pooled, async () => {
  const inputs = { x: shaped(1, 1, 2, 2) };
  const y = [x(1, 1, 2, 2).reduce((sum, value) => sum + value, 0) / 4];
  const pool = (attrs: object) => run({ op: "avg_pool2d", attrs: { kernel: 2, ...attrs }, inputs }, { y });
  equal((await pool({ stride: null, divisor_override: null })).status, "ok");
  match(reason(await pool({ ceil_mode: null })), /ceil_mode may not be null/);
  match(reason(await pool({ divisor_override: 3 })), /no attribute divisor_override/);
});

Deno.test("inputs that are called like roles are joined in the file's order", pooled, async () => {
  const inputs = { weight: shaped(1, 2), x: shaped(1, 3) };
  const y = [...signed("case/weight", [1, 2], 1), ...x(1, 3)];
  const outcome = await run({ op: "concat", attrs: { dim: 1 }, inputs }, { y });
  equal(outcome.status, "ok", reason(outcome));
});

Deno.test("flatten joins the axes that it is told to", pooled, async () => {
  const outcome = await run(
    { op: "flatten", attrs: { start_dim: 1, end_dim: 2 }, inputs: { x: shaped(2, 3, 4, 5) } },
    { y: x(2, 3, 4, 5) },
  );
  equal(outcome.status, "ok", reason(outcome));
});
