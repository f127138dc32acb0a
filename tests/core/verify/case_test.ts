import { deepEqual, equal, ok } from "node:assert/strict";
import { type Comparison, judge, maxError, Missing, outcomeOf } from "../../../core/verify/case.ts";
import { networkTolerances, opTolerance, ULP } from "../../../core/verify/tolerance.ts";
import type { Backend } from "../../../core/backend/backend.ts";

const result = (error: number, tolerance: number): Comparison => ({ what: "y", error, tolerance });

Deno.test("a case is judged by the result that comes nearest to its limit", () => {
  const [small, near, exact] = [result(1, 100), result(0.5, 1), result(0, 0)];
  const outcome = judge([small, near, exact]);
  equal(outcome.status, "ok");
  ok("worst" in outcome && outcome.worst === near);
});

Deno.test("one result outside its tolerance fails the case, and so does one that is no number", () => {
  equal(judge([result(0, 1), result(1.0001, 1)]).status, "FAIL");
  equal(judge([result(NaN, 1), result(0, 1)]).status, "FAIL");
  equal(judge([result(1, 0)]).status, "FAIL");
  equal(judge([]).status, "FAIL", "a case that compares nothing proves nothing");
});

Deno.test("arrays of other lengths or with numbers that are none have no distance", () => {
  equal(maxError([1, 2, 4], [1, 2.5, 4.25]), 0.5);
  ok(Number.isNaN(maxError([1], [1, 2])));
  ok(Number.isNaN(maxError([1, NaN, 5], [1, 2, 3])));
  equal(maxError([Infinity], [1]), Infinity);
});

Deno.test("what a case throws is its outcome", async () => {
  const backend = {} as Backend;
  const thrown = (error: Error) => outcomeOf({ name: "x", run: () => Promise.reject(error) }, backend);
  deepEqual(await thrown(new Missing("no such op")), { status: "missing", reason: "no such op" });
  deepEqual(await thrown(new Error("broken")), { status: "FAIL", reason: "broken" });
});

Deno.test("an op may be a few times as wrong as PyTorch, or a few units in the last place", () => {
  equal(opTolerance(1, 1e-5), 8e-5);
  equal(opTolerance(10, 0), 40 * ULP);
  ok(opTolerance(1) < 4e-6, "without PyTorch's error");
});

Deno.test("whole networks have tolerances of their own", () => {
  const exact = {
    logits_eval_rel: 0,
    logits_train_rel: 0,
    loss_abs: 0,
    grad_norm_rel: 0,
    sgd_losses: [4, 3, 1],
  };
  const limits = networkTolerances(exact);
  ok(limits.logits_eval(1).tolerance < 2e-6);
  ok(limits.loss(5, 3).tolerance < 1e-5);
  equal(limits.gradient(2, 10, 1).norm.tolerance, 0.02, "1 %, for branches that float32 takes otherwise");
  equal(limits.gradient(2, 10, 100).entries.tolerance, 0.002);
  ok(limits.gradient(1e-15, 10, 1).norm.tolerance < 1e-4, "zero but for rounding");

  const steps = (losses: number[], own: number[]) =>
    networkTolerances({ ...exact, sgd_losses: own }).sgd(losses, 3).map(({ tolerance }) => tolerance);
  deepEqual(steps([4, 2, 1], [4, 2, 1]).slice(1), [0.005, 0.03], "a kink, and what it grows to");
  deepEqual(steps([4, 0.01, 0.01], [4, 0.01, 0.01]).slice(2), [0.005], "at most half the loss");
  deepEqual(steps([4, 2, 1], [4, 2.25, 1]).slice(1), [1, 1], "four times PyTorch's largest so far");
  deepEqual(steps([4, 2, 1], [4, 2, 1.25]).slice(1), [0.25, 1], "and what that was a step before");
});
