/** `demo`: a page on which Strata classifies images and trains, in the browser itself. */
import { demoFiles } from "../host/demo_files.ts";
import { OWN_FILES_ONLY, type PageServer, servePage } from "../host/page_server.ts";
import { describeFlags, parseFlags, switchFlag, whole } from "./arguments.ts";
import { main } from "./main.ts";

export const demoFlags = {
  port: whole("the page's port; default a free one", { min: 0, max: 65535 }),
  help: switchFlag("shows this"),
};

const HELP = `Serves a page to this machine, on which Strata runs in the browser: it
classifies images with weights that are dropped onto it, and trains on the
handwritten digits. Nothing leaves the machine. Ctrl-C ends it.

  deno task demo
  deno task demo --port 8080
`;

/**
 * Threads share memory only on a page that is isolated. WebAssembly is compiled from bytes, and protobufjs, which reads
 * ONNX, compiles its readers; images are shown from memory.
 */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "content-security-policy": OWN_FILES_ONLY
    .replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")
    .replace("img-src 'self'", "img-src 'self' blob:"),
};

/** Serves the page at `port`, 0 for a free one. Throws `UserError` where it is taken. */
export async function serveDemo(port: number): Promise<PageServer> {
  return servePage(port, "--port", { files: await demoFiles(), headers: HEADERS });
}

/** Runs the command, until a signal ends it. */
async function demo(args: readonly string[]): Promise<number> {
  const given = parseFlags(demoFlags, args);
  if (given.help) {
    console.log([HELP, ...describeFlags(demoFlags)].join("\n"));
    return 0;
  }
  const { url } = await serveDemo(given.port ?? 0);
  console.log(`Demo: ${url} (Ctrl-C ends it)`);
  return await new Promise(() => {});
}

if (import.meta.main) await main(demo);
