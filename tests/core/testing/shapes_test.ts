import assert from "node:assert/strict";
import * as nn from "../../../core/nn/mod.ts";
import { diffLines } from "../../../core/testing/diff.ts";
import {
  ExpectationError,
  expectLayers,
  expectParameters,
  expectShape,
  expectShapeError,
  expectSummary,
  summaryText,
} from "../../../core/testing/shapes.ts";

class Net extends nn.Module {
  conv = new nn.Conv2d(3, 4, 3, { padding: 1 });
  pool = new nn.MaxPool2d(4);
  spare = new nn.Linear(2, 2);
  fc = new nn.Linear(4, 5);

  forward(x: nn.Tensor): nn.Tensor {
    x = this.pool.forward(this.conv.forward(x));
    return this.fc.forward(nn.flatten(nn.adaptiveAvgPool2d(x, 1)));
  }
}

function failure(check: () => unknown): ExpectationError {
  try {
    check();
  } catch (error) {
    assert.ok(error instanceof ExpectationError, String(error));
    return error;
  }
  assert.fail("it did not throw");
}

Deno.test("expectShape", () => {
  expectShape(new Net(), [2, 3, 8, 8], [2, 5]);
  const error = failure(() => expectShape(new Net(), [2, 3, 8, 8], [2, 4]));
  assert.equal(error.name, "AssertionError");
  assert.equal(error.message, "Net makes [2, 5] of [2, 3, 8, 8], expected [2, 4]");
  assert.deepEqual([error.actual, error.expected], [[2, 5], [2, 4]]);
});

Deno.test("expectLayers tells of all layers that differ", () => {
  const input = [1, 3, 8, 8];
  expectLayers(new Net(), input, { conv: [1, 4, 8, 8], pool: [1, 4, 2, 2], "": [1, 5] });
  const error = failure(() =>
    expectLayers(new Net(), input, { conv: [1, 4, 6, 6], pol: [1], spare: [1, 2], fc: [1, 5] })
  );
  assert.equal(
    error.message,
    "Net: conv makes [1, 4, 8, 8], expected [1, 4, 6, 6]; pol is not there, did you mean pool?; " +
      "spare does not run, expected [1, 2]",
  );
});

Deno.test("expectParameters counts what never runs, too", () => {
  expectParameters(new Net(), 112 + 6 + 25);
  assert.equal(
    failure(() => expectParameters(new Net(), 1234)).message,
    "Net has 143 parameters, expected 1,234",
  );
});

Deno.test("expectShapeError wants the layer that is at fault", () => {
  const message = expectShapeError(new Net(), [1, 3, 3, 3], "pool");
  assert.match(message, /^pool: max_pool2d of \[1, 4, 3, 3\]: .*the image vanishes here$/);
  assert.match(
    failure(() => expectShapeError(new Net(), [1, 3, 3, 3], "conv")).message,
    /in conv, not: pool: /,
  );
  assert.equal(
    failure(() => expectShapeError(new Net(), [1, 3, 8, 8], "pool")).message,
    "the network makes [1, 5] of [1, 3, 8, 8], expected a shape error in pool",
  );
});

Deno.test("expectSummary shows the lines that differ", () => {
  const input = [1, 3, 9, 9];
  const snapshot = `\
Net [1, 3, 9, 9] → [1, 5], 143 parameters, 8,768 MACs
  conv: Conv2d [1, 3, 9, 9] → [1, 4, 9, 9], kernel 3×3, stride 1×1, 112 parameters, 8,748 MACs
  pool: MaxPool2d [1, 4, 9, 9] → [1, 4, 2, 2], kernel 4×4, stride 4×4
  fc: Linear [1, 4] → [1, 5], 25 parameters, 20 MACs
  spare: Linear, not run, 6 parameters
`;
  assert.equal(summaryText(new Net(), input), snapshot);
  expectSummary(new Net(), input, snapshot);
  expectSummary(new Net(), input, snapshot.replaceAll("\n", "\r\n"));
  const changed = new Net();
  changed.pool = new nn.MaxPool2d(3);
  assert.equal(
    failure(() => expectSummary(changed, input, snapshot)).message,
    `\
the summary of Net has changed (- expected, + found):
  Net [1, 3, 9, 9] → [1, 5], 143 parameters, 8,768 MACs
    conv: Conv2d [1, 3, 9, 9] → [1, 4, 9, 9], kernel 3×3, stride 1×1, 112 parameters, 8,748 MACs
-   pool: MaxPool2d [1, 4, 9, 9] → [1, 4, 2, 2], kernel 4×4, stride 4×4
+   pool: MaxPool2d [1, 4, 9, 9] → [1, 4, 3, 3], kernel 3×3, stride 3×3
    fc: Linear [1, 4] → [1, 5], 25 parameters, 20 MACs
    spare: Linear, not run, 6 parameters`,
  );
});

Deno.test("a diff keeps what is common, and leaves out what is far from a change", () => {
  assert.deepEqual(diffLines([..."abcdefgh"], [..."abcdXfgh"]), [
    ...["…", "  c", "  d", "- e", "+ X", "  f", "  g", "…"],
  ]);
  assert.deepEqual(diffLines(["a"], ["a", "b"]), ["  a", "+ b"]);
  assert.deepEqual(diffLines(["b", "a"], ["a"]), ["- b", "  a"]);
  assert.deepEqual(diffLines([], ["a"]), ["+ a"]);
});
