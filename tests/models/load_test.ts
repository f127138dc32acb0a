import assert from "node:assert/strict";
import { UserError } from "../../core/errors.ts";
import * as nn from "../../core/nn/mod.ts";
import { findModel, modelOfFile } from "../../models/load.ts";
import { withFolder } from "../support/temp_folder.ts";

const NN = new URL("../../core/nn/mod.ts", import.meta.url).href;

/** A network in a file of its own. */
async function found(source: string) {
  let entry: Awaited<ReturnType<typeof findModel>>;
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/my_net.ts`, source);
    entry = await findModel("./my_net.ts", new URL(`file://${folder}/`));
  });
  return entry!;
}

async function messageOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.ok(!error.message.includes("\n"), "one line");
    return error.message;
  }
  assert.fail("no error");
}

const layers = "new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(3, num_classes)";

Deno.test("a user's own network: a default export, `create`, or a class", async () => {
  const factory = `({ num_classes = 10 } = {}) => new nn.Sequential(${layers})`;
  for (
    const source of [
      `export default ${factory};`,
      `export const create = ${factory};`,
      `export default class Net extends nn.Sequential { constructor({ num_classes = 10 } = {}) { super(${layers}); } }`,
    ]
  ) {
    const entry = await found(`import * as nn from "${NN}";\n${source}`);
    assert.deepEqual(entry.input, [3, 224, 224]);
    const graph = nn.trace(entry.create({ num_classes: 4 }), [2, 3, 8, 8], { training: false });
    assert.deepEqual(graph.outputs.get("y")?.shape, [2, 4]);
  }
});

Deno.test("it may say what it is made for", async () => {
  const { input, num_classes, source } = await found(
    `import * as nn from "${NN}";
     export const input = [1, 28, 28], num_classes = 5;
     export default () => new nn.Flatten();`,
  );
  assert.deepEqual({ input, num_classes, source }, {
    input: [1, 28, 28],
    num_classes: 5,
    source: "./my_net.ts",
  });
});

Deno.test("a name is looked up in the registry, and a wrong one gets a suggestion", async () => {
  assert.equal((await findModel("resnet50", "file:///")).source, "torchvision");
  const message = await messageOf(findModel("resnet5O", "file:///"));
  assert.match(message, /there is no such network; did you mean resnet50\?/);
});

Deno.test("mistakes in a user's own network are named", async () => {
  const head = `import * as nn from "${NN}";\n`;
  const cases: [source: string, message: RegExp][] = [
    ["export const net = 1;", /my_net\.ts exports net and no factory: add "export default/],
    ["export default 3;", /exports default and no factory/],
    ["export default () => {", /my_net\.ts cannot be loaded: /],
    [`import "./other.ts"; export default () => 1;`, /my_net\.ts cannot be loaded: .*other\.ts/],
    [`throw new Error("no\\nluck");`, /my_net\.ts cannot be loaded: no$/],
    [`${head}export const input = [3, 0]; export default () => new nn.ReLU();`, /input must be \[channels/],
    [`${head}export const num_classes = 1.5; export default () => new nn.ReLU();`, /num_classes must be/],
  ];
  for (const [source, message] of cases) assert.match(await messageOf(found(source)), message);

  const factories: [source: string, message: RegExp][] = [
    [`export default () => { throw new Error("no width"); };`, /my_net\.ts: the factory fails: no width$/],
    ["export default () => ({ forward() {} });", /the factory returns Object, not a Module/],
    ["export default () => {};", /the factory returns undefined, not a Module/],
    ["export default () => null;", /the factory returns null, not a Module/],
  ];
  for (const [source, message] of factories) {
    const entry = await found(source);
    assert.match(await messageOf(Promise.resolve().then(() => entry.create())), message);
  }
});

Deno.test("a file that is not there", async () => {
  await withFolder(async (folder) => {
    const message = await messageOf(findModel("./gone.ts", new URL(`file://${folder}/`)));
    assert.equal(message, "--model ./gone.ts: there is no such file");
  });
});

Deno.test("a file may name networks of the registry, and no code", () => {
  assert.equal(modelOfFile("resnet50", "a.onnx").source, "torchvision");
  const cases: [name: string, message: RegExp][] = [
    [
      "./net.ts",
      /^a\.onnx: says that its network is \.\/net\.ts, which is code, .*: give --model \.\/net\.ts if/,
    ],
    [
      "data:text/javascript,1\n",
      /^a\.onnx: says that its network is data:text\/javascript,1\\x0a, which is code/,
    ],
    [
      "resnet5000",
      /^a\.onnx: says that its network is resnet5000, which there is not: name one with --model$/,
    ],
    ["__proto__", /which there is not/],
  ];
  for (const [name, message] of cases) {
    assert.throws(() => modelOfFile(name, "a.onnx"), { name: "UserError", message });
  }
});
