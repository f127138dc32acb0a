/** The files of the demo page: compiled once, when it is opened, and all of them local. */
import css from "../demo/page.css" with { type: "text" };
import html from "../demo/page.html" with { type: "text" };
import { bundleForBrowser } from "./browser_bundle.ts";
import { pageFiles } from "./dashboard_files.ts";
import type { PageFile } from "./page_server.ts";

/** The page's script, and what is loaded by its address: workers, the kernels, the digits. */
const MODULES = ["demo/page.ts", "core/backend/wasm/worker.ts", "core/format/keras_worker.ts"];
const BINARIES = [
  ["core/backend/wasm/kernels.wasm", "application/wasm"],
  ["data/digits.csv.gz", "application/gzip"],
] as const;

export async function demoFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const shared = (path: string): [string, PageFile] => [`/dashboard${path}`, pageFiles.get(path)!];
  const binaries = BINARIES.map(async ([path, type]): Promise<[string, PageFile]> => {
    return [`/${path}`, { type, body: await Deno.readFile(new URL(`../${path}`, import.meta.url)) }];
  });
  return new Map([
    ["/", { type: "text/html", body: html }],
    ["/demo/page.css", { type: "text/css", body: css }],
    ...["/icon.svg", "/page.css", "/uplot.css", "/uplot.js"].map(shared),
    ...await Promise.all(binaries),
    ...await bundleForBrowser(MODULES),
  ]);
}
