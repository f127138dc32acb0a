import assert from "node:assert/strict";
import { fitNetwork, runOf } from "../../models/weights_network.ts";
import { cifar10Normalize } from "../../core/data/cifar10.ts";
import { models } from "../../models/registry.ts";
import { StateDict } from "../../core/format/state_dict.ts";

const file = (config?: string) =>
  new StateDict("a.safetensors", [], {
    metadata: { "strata.model": "resnet20", ...config === undefined ? {} : { "strata.config": config } },
  });

Deno.test("a checkpoint says what its run was; of an older one its data set says how images were normalised", () => {
  assert.equal(runOf(new StateDict("a.pth", [])), undefined);
  assert.deepEqual(runOf(file()), { model: "resnet20" });
  const old = { model: "resnet20", dataset: "cifar10" };
  assert.deepEqual(runOf(file(JSON.stringify(old))), { ...old, normalize: cifar10Normalize });
  const normalize = { mean: [0], std: [1] };
  assert.deepEqual(runOf(file(JSON.stringify({ ...old, normalize }))), { ...old, normalize });
});

Deno.test("of an older checkpoint its data set says how large images were", () => {
  for (const dataset of ["digits", "cifar10", "mnist"]) {
    const net = fitNetwork(file(JSON.stringify({ dataset })), ["resnet20", models["resnet20"]!]);
    assert.deepEqual(net.input, [3, 32, 32], dataset);
  }
});

Deno.test("a checkpoint whose own words are damaged is an error", () => {
  const cases = ["{", '{"classes":[1]}', '{"shape":[3]}', '{"normalize":{"mean":["x"]}}', '{"classes":7}'];
  for (const config of cases) {
    assert.throws(() => runOf(file(config)), /a\.safetensors: its metadata is damaged/, config);
  }
});
