/** Chromium for tests of pages, where there is one. */
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where it is; undefined where none is installed. */
const installed = PLACES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Options of a test that needs it: it counts as skipped where there is none. */
export function inBrowser(
  about: string,
): Pick<Deno.TestDefinition, "ignore" | "sanitizeOps" | "sanitizeResources"> {
  if (!installed) console.log(`Skipped: ${about} in a browser, since no Chromium is installed`);
  // The browser's driver keeps timers of its own.
  return { ignore: !installed, sanitizeOps: false, sanitizeResources: false };
}

/** Runs `body` with a browser, which is closed afterwards. With `gpu` it has WebGPU, if only in software. */
export async function withBrowser(body: (browser: Browser) => Promise<void>, gpu = false): Promise<void> {
  const graphics = gpu ? "--enable-unsafe-webgpu" : "--disable-gpu";
  const browser = await chromium.launch({
    executablePath: installed!,
    args: ["--no-sandbox", "--no-first-run", "--disable-background-networking", graphics],
  });
  try {
    await body(browser);
  } finally {
    await browser.close();
  }
}
