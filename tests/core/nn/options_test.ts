import assert from "node:assert/strict";
import * as nn from "../../../core/nn/mod.ts";

/** As a file of one's own would have it, which runs without a check of types. */
// deno-lint-ignore no-explicit-any
type Any = any;

/** The trace of a layer on a small image. */
const traced = (layer: nn.Module) => nn.trace(layer, [1, 4, 8, 8], { training: false });

Deno.test("options that a layer does not have are named, and what it has", () => {
  const cases: [make: () => unknown, message: RegExp][] = [
    [
      () => new nn.Conv2d(4, 4, 3, { padding_mode: "reflect" } as Any),
      /^UserError: Conv2d has no option padding_mode; it has stride, padding, dilation, groups, bias$/,
    ],
    [
      () => new nn.Linear(4, 4, { device: "cpu" } as Any),
      /^UserError: Linear has no option device; it has bias$/,
    ],
    [
      () => new nn.BatchNorm1d(4, { affine: false } as Any),
      /^UserError: BatchNorm1d has no option affine; it has eps, momentum$/,
    ],
    [
      () => traced(new nn.MaxPool2d(2, { return_indices: true } as Any)),
      /^UserError: maxPool2d has no option return_i/,
    ],
    [
      () => traced(new nn.AvgPool2d(2, { divisor_override: 3 } as Any)),
      /^UserError: avgPool2d has no option divisor_o/,
    ],
    [
      () => traced(new nn.LocalResponseNorm(5, { gamma: 1 } as Any)),
      /^UserError: localResponseNorm has no option gamma/,
    ],
  ];
  for (const [make, message] of cases) assert.throws(make, message);
});

Deno.test("options by place, as in Python, are refused: they would not be heeded", () => {
  const cases: [make: () => unknown, message: RegExp][] = [
    [
      () => new nn.Conv2d(4, 4, 3, 2 as Any),
      /^UserError: Conv2d takes its options by name, such as \{ stride: 2 \}; it has stride, padding,/,
    ],
    [
      () => new nn.Linear(4, 4, false as Any),
      /^UserError: Linear takes its options by name, such as \{ bias: false \}/,
    ],
    [
      () => traced(new nn.MaxPool2d(3, 2 as Any)),
      /^UserError: maxPool2d takes its options by name, such as \{ stride: 2 \}/,
    ],
  ];
  for (const [make, message] of cases) assert.throws(make, message);
});
