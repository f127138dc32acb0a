import { deepEqual, equal } from "node:assert/strict";
import { labels, parameter, signed, unit } from "../../../core/verify/fill.ts";

/** Computed with an implementation of its own in Python's integers and doubles. */
Deno.test("the fill is FNV-1a and MurmurHash3's finaliser", () => {
  const number = unit("conv2d/x");
  deepEqual([0, 1, 2].map(number), [0.40688937646336854, 0.31026122509501874, 0.29996987828053534]);
  equal(number(1_000_000), 0.4756990233436227);
  deepEqual([0, 1].map(unit("größe")), [0.803248836658895, 0.9736200971528888], "names are UTF-8");
  deepEqual([...signed("a/weight", [3], 2)], [-1.270881175994873, -0.4085705578327179, -1.399515151977539]);
  deepEqual([...labels("net/y", 8, 10)], [6, 0, 8, 1, 6, 2, 7, 2]);
});

Deno.test("parameters are filled by the last part of their name and their rank", () => {
  const start = (name: string, shape: number[]) => [...parameter(name, shape).slice(0, 2)];
  deepEqual(start("layer.weight", [2, 2, 3, 3]), [0.1662634164094925, 0.06830549985170364]);
  deepEqual(start("bn.weight", [2]), [1.1727688312530518, 1.0605462789535522]);
  deepEqual(start("bn.running_mean", [2]), [0.0766536071896553, 0.05600210279226303]);
  deepEqual(start("bn.running_var", [2]), [1.0812218189239502, 1.0221694707870483]);
  deepEqual(start("fc.bias", [2]), [0.011622931808233261, -0.005190818104892969]);
  deepEqual(start("bn.num_batches_tracked", []), [0]);
});
