/** Modules as a browser loads them: TypeScript compiled, packages from npm put in, by esbuild. */
import { build, type Plugin, stop } from "esbuild";
import type { PageFile } from "./page_server.ts";

const ROOT = new URL("../", import.meta.url);

/**
 * Bundles modules, named by their paths in the project, with all that they import; what is imported lazily is loaded
 * lazily. In the result each has its own path: `/core/backend/wasm/worker.ts`. Throws where something needs more than a
 * browser has.
 */
export async function bundleForBrowser(entryPoints: readonly string[]): Promise<Map<string, PageFile>> {
  const root = decodeURIComponent(ROOT.pathname);
  try {
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: [...entryPoints],
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      outbase: root,
      outdir: root,
      outExtension: { ".js": ".ts" },
      write: false,
      plugins: [ownAddresses],
      logLevel: "silent",
    });
    return new Map(outputFiles.map(({ path, text }) => {
      return [`/${path.slice(root.length)}`, { type: "text/javascript", body: text }];
    }));
  } finally {
    await stop();
  }
}

/** `import.meta.url` is the address of the module, not of the bundle: workers and files are named from there. */
const ownAddresses: Plugin = {
  name: "own addresses",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const contents = await Deno.readTextFile(path);
      const address = path.slice(decodeURIComponent(ROOT.pathname).length - 1);
      const own = `new URL(${JSON.stringify(address)}, globalThis.location.href).href`;
      return { contents: contents.replaceAll("import.meta.url", own), loader: "ts" };
    });
  },
};
