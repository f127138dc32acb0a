/** Nothing under core/, models/ and demo/ needs more than a browser has: no Deno, no Node, no native code. */
import assert from "node:assert/strict";
import { build, stop, transform } from "esbuild";

const root = new URL("../../", import.meta.url).pathname;

/** What a browser runs; the demo also uses what draws the live page. */
const PORTABLE = ["core", "models", "demo", "dashboard"];

/** Names of these that are no property and no part of a longer name. */
const FOREIGN = /(?<![\w$.])(Deno|process|require|__dirname|__filename)(?![\w$]|\s*:)/;

function filesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(root + folder)).flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return filesIn(path);
    return /\.[jt]s$/.test(name) ? [path] : [];
  });
}

const files = PORTABLE.flatMap(filesIn);

Deno.test("no module names what only Deno or Node has", async () => {
  assert.ok(files.length > 250);
  try {
    for (const path of files) {
      // Without comments and types; strings are given other quotes, and stay.
      const { code } = await transform(await Deno.readTextFile(root + path), {
        loader: "ts",
        target: "es2022",
      });
      assert.doesNotMatch(withoutStrings(code), FOREIGN, path);
    }
  } finally {
    await stop();
  }
});

Deno.test("what they import, packages included, can be bundled for a browser, and is portable itself", async () => {
  try {
    // A package that asks for Node's modules cannot.
    const { metafile, warnings } = await build({
      absWorkingDir: root,
      entryPoints: files,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      outdir: root,
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    assert.deepEqual(warnings, []);
    for (const [path, { imports }] of Object.entries(metafile.inputs)) {
      // "(disabled)" is what a package itself says that it does without in a browser.
      assert.match(path, /^((core|models|demo|dashboard|node_modules)\/|\(disabled\))/);
      assert.doesNotMatch(path, /\.node$/);
      for (const { path: imported, external } of imports) assert.ok(!external, `${path} imports ${imported}`);
    }
  } finally {
    await stop();
  }
});

/** The code with empty strings; what stands in the holes of templates is kept. */
function withoutStrings(code: string): string {
  return code.replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}
