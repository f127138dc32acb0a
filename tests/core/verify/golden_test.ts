/** The golden cases that the project carries with it: they pass, and they would not pass if something were wrong. */
import { equal, ok } from "node:assert/strict";
import type { Backend, NumberArray, Session } from "../../../core/backend/backend.ts";
import { judge, maxMagnitude, type Outcome, outcomeOf } from "../../../core/verify/case.ts";
import { casesOf } from "../../../core/verify/cases.ts";
import { type Golden, tensor } from "../../../core/verify/golden.ts";
import type { Measured } from "../../../core/verify/measure.ts";
import { compareModel, measureModel, type ModelEntry } from "../../../core/verify/model_cases.ts";
import { opCases, type OpEntry, type OpInput } from "../../../core/verify/op_cases.ts";
import type { AveragePrecisionEntry, NmsEntry, YoloLossEntry } from "../../../core/verify/yolo_cases.ts";
import { readGolden } from "../../../host/golden.ts";
import { models } from "../../../models/registry.ts";
import { onWebgpu } from "../../support/on_backends.ts";
import { backendFor } from "../../support/run_op.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };
const golden = await readGolden("tests/fixtures/golden");
const ops = (golden.json.get("ops") as { cases: OpEntry[] }).cases;
const networks = golden.json.get("whole_models") as Record<string, ModelEntry>;

for (const item of casesOf(golden, models)) {
  Deno.test(`golden ${item.name}`, pooled, async () => {
    const outcome = await outcomeOf(item, await backendFor());
    equal(outcome.status, "ok", describe(outcome));
  });
}

/** Of products, which take a software adapter long to compile, a few. */
const PRODUCTS = [
  "conv2d/n2c3x16x16o8k7x7s2p3d1g1b1",
  "conv2d/n2c8x10x10o16k3x3s2p1d1g4b1",
  "linear/n3i7o5b1",
];

for (const item of casesOf(golden, models)) {
  if (/^(schedule|layout|model|nms|ap)\//.test(item.name)) continue;
  if (/^(conv2d|linear)\//.test(item.name) && !PRODUCTS.includes(item.name)) continue;
  onWebgpu(`golden ${item.name}`, async () => {
    const outcome = await outcomeOf(item, await backendFor("webgpu"));
    equal(outcome.status, "ok", describe(outcome));
  });
}

Deno.test("a result that is wrong by a ten-thousandth in one place fails", pooled, async () => {
  const backend = await backendFor();
  for (const entry of ops) {
    const [item] = opCases(withOps([entry]));
    for (const what of Object.keys(entry.results)) {
      const truth = tensor(golden, `${entry.name}/${what}`).data;
      const name = what === "running_mean" ? "mean" : what === "running_var" ? "var" : what;
      const wrong = spoil(backend, name, 1e-4 * maxMagnitude(truth));
      equal((await outcomeOf(item!, wrong)).status, "FAIL", `${entry.name}: ${what}`);
    }
  }
});

/** For each op an attribute that is a little off. */
const slips: [op: string, attrs: Record<string, unknown>][] = [
  ["conv2d", { padding: [1, 0, 0, 1] }],
  ["avg_pool2d", { padding: [0, 1, 1, 0] }],
  ["leaky_relu", { negative_slope: 0.0101 }],
  ["batch_norm", { eps: 2e-5 }],
  ["local_response_norm", { alpha: 1.1e-4 }],
  ["local_response_norm", { size: 3 }],
  ["cross_entropy", { label_smoothing: 0.101 }],
  ["softmax", { dim: 0 }],
  ["log_softmax", { dim: 0 }],
  ["max_pool2d", { dilation: 2, padding: 1 }],
];

for (const [op, slip] of slips) {
  Deno.test(`${op} fails with ${JSON.stringify(slip)}`, pooled, async () => {
    const entries = ops.filter((entry) => entry.op === op && !entry.name.startsWith("onnx/"))
      .map((entry) => ({ ...entry, attrs: { ...entry.attrs, ...slip } }));
    ok(entries.length > 0);
    const backend = await backendFor();
    for (const item of opCases(withOps(entries))) {
      equal((await outcomeOf(item, backend)).status, "FAIL", item.name);
    }
  });
}

Deno.test("padding may be named as in Keras, and inputs may stand in any order", pooled, async () => {
  const entry = ops.find(({ name }) => name === "conv2d/n2c3x9x7o5k3x3s1p1d1g1b1")!;
  const { x, weight, bias } = entry.inputs as Record<string, OpInput>;
  const inputs = { bias: bias!, weight: weight!, x: x! };
  const backend = await backendFor();
  const status = async (padding: string) => {
    const [item] = opCases(withOps([{ ...entry, inputs, attrs: { padding } }]));
    return (await outcomeOf(item!, backend)).status;
  };
  equal(await status("same"), "ok");
  equal(await status("valid"), "FAIL");
});

Deno.test("batch norm's momentum shows in the running statistics", pooled, async () => {
  const entry = ops.find(({ name }) => name === "batch_norm/2d_train")!;
  const [item] = opCases(withOps([{ ...entry, attrs: { ...entry.attrs, momentum: 0.1001 } }]));
  equal((await outcomeOf(item!, await backendFor())).status, "FAIL");
});

Deno.test("optimisers fail with another option", pooled, async () => {
  const { optimizers } = golden.json.get("ops") as { optimizers: { name: string; defaults: object }[] };
  const backend = await backendFor();
  for (const { name, defaults } of optimizers) {
    for (const slip of [{ weight_decay: 0.001 }, { lr: 0.0501 }]) {
      const json = new Map([["ops", { optimizers: [{ name, defaults: { ...defaults, ...slip } }] }]]);
      const [item] = casesOf({ ...golden, json }, models);
      equal((await outcomeOf(item!, backend)).status, "FAIL", `${name} ${JSON.stringify(slip)}`);
    }
  }
});

Deno.test("YOLO's loss, suppression and precision fail when a number differs", pooled, async () => {
  const yolo = golden.json.get("yolo") as Yolo;
  const [loss, nms, precision] = [yolo.loss[0]!, yolo.nms[0]!, yolo.average_precision[0]!];
  const slips: [part: keyof Yolo, entry: object][] = [
    ["loss", { ...loss, loss: loss.loss * 1.0001 }],
    ["loss", { ...loss, parts: { ...loss.parts, object: loss.parts.object * 1.0001 } }],
    ["loss", { ...loss, grad: loss.grad.with(-1, loss.grad.at(-1)! + 0.001) }],
    ["nms", { ...nms, keep: nms.keep.toReversed() }],
    ["nms", { ...nms, keep: nms.keep.slice(1) }],
    ["average_precision", { ...precision, ap50_11point: precision.ap50_11point + 1e-9 }],
    ["average_precision", { ...precision, ap75_area: precision.ap50_area }],
  ];
  for (const [part, entry] of slips) {
    const json = new Map([["yolo", { [part]: [entry] }]]);
    const [item] = casesOf({ ...golden, json }, models);
    equal((await outcomeOf(item!, await backendFor())).status, "FAIL", JSON.stringify(entry).slice(0, 80));
  }
});

interface Yolo {
  readonly loss: YoloLossEntry[];
  readonly nms: NmsEntry[];
  readonly average_precision: AveragePrecisionEntry[];
}

const vgg = networks["vgg16_cifar"]!;
const scaled = (key: string, factor: number) => ({
  grad: { ...vgg.grad, [key]: vgg.grad[key]!.map((number) => number * factor) },
});
const { "classifier.5.bias": _, ...withoutOne } = vgg.grad;
/** A different course of training, the same for float32 and float64. */
const lossesWith = (change: (loss: number, step: number) => number) => ({
  sgd_losses: vgg.sgd_losses!.map(change),
  torch_float32: { ...vgg.torch_float32, sgd_losses: vgg.torch_float32.sgd_losses!.map(change) },
});

const slipsOfANetwork: [what: string, entry: Partial<ModelEntry>][] = [
  ["a gradient that is 2 % too large", scaled("features.10.weight", 1.02)],
  ["a bias gradient that is 2 % too small", scaled("classifier.2.bias", 0.98)],
  ["a gradient that should not be zero", {
    grad: { ...vgg.grad, "classifier.1.bias": vgg.grad["features.0.bias"]! },
  }],
  ["a gradient that PyTorch does not have", { grad: withoutOne }],
  ["a gradient that is missing", { grad: { ...vgg.grad, "features.99.weight": [1, 1, 1, 1, 1, 1] } }],
  ["another loss", { loss: vgg.loss * 1.0005 }],
  ["other running statistics", { buffers: { ...vgg.buffers, "classifier.2.running_var": [0.9053, 1.1294] } }],
  ["another loss after one step", lossesWith((loss, step) => step === 1 ? loss * 1.01 : loss)],
  ["another loss after three steps", lossesWith((loss, step) => step === 3 ? loss * 1.2 : loss)],
];

Deno.test("whole networks fail when anything about them is wrong", pooled, async (t) => {
  const measured = await measureModel("vgg16_cifar", vgg, models, await backendFor());
  const outcome = (slip: Partial<ModelEntry>, numbers: Partial<Measured> = {}) =>
    judge(compareModel(golden, "vgg16_cifar", { ...vgg, ...slip }, { ...measured, ...numbers }));
  equal(outcome({}).status, "ok", describe(outcome({})));
  for (const [what, slip] of slipsOfANetwork) {
    await t.step(what, () => equal(outcome(slip).status, "FAIL"));
  }
  for (const logits of ["logits_eval", "logits_train"] as const) {
    await t.step(`${logits} that are wrong by two thousandths`, () => {
      const wrong = Array.from(measured[logits], (logit, i) => i === 7 ? logit * 1.002 + 0.002 : logit);
      equal(outcome({}, { [logits]: wrong }).status, "FAIL");
    });
  }
});

Deno.test("layouts fail when a number, a name, a shape or a layer differs", pooled, async () => {
  const layout = (golden.json.get("models") as Record<string, Layout>)["vgg16_cifar"]!;
  const slips: Partial<Layout>[] = [
    { params: layout.params + 1 },
    { macs: layout.macs - 1 },
    { output: [11] },
    { state_dict: layout.state_dict.toReversed() },
    { state_dict: layout.state_dict.slice(1) },
    { leaves: layout.leaves.slice(0, -1) },
    { leaves: layout.leaves.map((leaf, i) => i === 3 ? { ...leaf, output: [-1, 64, 31, 32] } : leaf) },
  ];
  for (const slip of slips) {
    const json = new Map([["models", { vgg16_cifar: { ...layout, ...slip } }]]);
    const [item] = casesOf({ ...golden, json }, models);
    equal((await outcomeOf(item!, await backendFor())).status, "FAIL", Object.keys(slip).join());
  }
});

interface Layout {
  readonly output: number[];
  readonly params: number;
  readonly macs: number;
  readonly state_dict: unknown[];
  readonly leaves: { output: number[] }[];
}

Deno.test("what does not exist is missing, and named", pooled, async () => {
  const [add] = ops.filter(({ op }) => op === "add");
  const json = new Map<string, unknown>([
    ["ops", {
      cases: [{ ...add, op: "gelu" }, { ...add, attrs: { alpha: 2 } }, { ...add, results: { z: [1] } }],
      optimizers: [{ name: "optim/lion", defaults: { lr: 1 } }, {
        name: "optim/adam_x",
        defaults: { amsgrad: true },
      }],
      schedulers: [{ name: "cyclic", base_lr: 1, lrs: [1] }],
      losses: [],
    }],
    ["models", { mystery_net: { input: [3, 8, 8], output: [2] } }],
    ["whole_models", { mystery_net: { input: [3, 8, 8], classes: 2 } }],
    ["yolo", { heat_maps: [] }],
    ["detection", {}],
  ]);
  const backend = await backendFor();
  for (const item of casesOf({ ...golden, json }, models)) {
    const outcome = await outcomeOf(item, backend);
    equal(outcome.status, "missing", `${item.name}: ${describe(outcome)}`);
  }
});

function describe(outcome: Outcome): string {
  return "reason" in outcome ? outcome.reason : JSON.stringify(outcome.worst);
}

function withOps(cases: OpEntry[]): Golden {
  return { ...golden, json: new Map([["ops", { cases }]]) };
}

/** A backend whose results of one name are off by `error` in their last number. */
function spoil(backend: Backend, name: string, error: number): Backend {
  const off = (data: NumberArray) => {
    data[data.length - 1]! += error;
    return data;
  };
  return {
    ...backend,
    compile(graphs): Session {
      const session = backend.compile(graphs);
      return {
        ...session,
        read: async (graph, output) => {
          const data = await session.read(graph, output);
          return output === name ? off(data) : data;
        },
        readState: async (state) => {
          const data = await session.readState(state);
          return state === name ? off(data) : data;
        },
      };
    },
  };
}
