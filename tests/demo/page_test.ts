/** `deno task demo` as its user meets it: a page on which Strata runs in the browser itself. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { predict } from "../../cli/predict.ts";
import { createWasmBackend } from "../../core/backend/wasm/backend.ts";
import { loadDigits } from "../../core/data/digits.ts";
import { type SafeTensor, writeSafetensors } from "../../core/format/safetensors.ts";
import { type Module, stateDict } from "../../core/nn/mod.ts";
import { sizeOf } from "../../core/shape.ts";
import { createTrainer } from "../../core/train/trainer.ts";
import { loss } from "../../dashboard/format.js";
import { digitsRun } from "../../demo/digits_run.ts";
import { resnet8_keras } from "../../models/resnet8_keras.ts";
import { squeezenet1_1 } from "../../models/squeezenet.ts";
import { inBrowser, withBrowser } from "../support/browser.ts";
import { photograph, put, quarters } from "../support/pictures.ts";
import { printed } from "../support/printed.ts";
import { withFolder } from "../support/temp_folder.ts";
import { uniform } from "../support/uniform.ts";

const root = new URL("../../", import.meta.url).pathname;
/** Long, for machines that are busy with other things. */
const WAIT = { timeout: 120_000 };

/** Runs the task; `body` gets its address. */
async function withDemo(body: (url: string) => Promise<void>): Promise<void> {
  const task = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo"],
    cwd: root,
    stdout: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const lines = task.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value = "" } = await lines.read();
    const url = /^Demo: (http:\/\/127\.0\.0\.1:\d+\/) /.exec(value)?.[1];
    assert.ok(url, value);
    await body(url);
  } finally {
    task.kill("SIGTERM");
    await lines.cancel();
    await task.status;
  }
}

/** A page of the demo on a phone, and what goes wrong on it. */
async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("blob:")) {
      errors.push(`asks elsewhere: ${request.url()}`);
    }
  });
  await page.goto(url);
  await page.locator("#backend option").first().waitFor({ state: "attached" });
  return { page, errors };
}

Deno.test({
  name: "demo",
  ...inBrowser("the demo page"),
  fn: (t) =>
    withDemo(async (url) => {
      await withBrowser(async (browser) => {
        const { page, errors } = await openPage(browser, url);
        await page.locator("#without", { hasText: /^Without WebGPU: this browser / }).waitFor(WAIT);
        await t.step("it answers as predict does", () => withFolder((folder) => classify(page, folder)));
        await t.step("weights and files that do not fit have their line", () => mistakes(page));
        await t.step(
          "a network learns the digits there as it does here, and can be paused",
          () => learn(page),
        );
        await t.step("a run that is ended while it starts is never shown", () => endAtOnce(page));
        assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "too wide");
        assert.deepEqual(errors, []);
        await t.step("where threads may share no memory, it says so", () => unshared(page, url));
      });
      await withBrowser(async (browser) => {
        const { page, errors } = await openPage(browser, url);
        const ignore = await page.locator("#backend option[value=webgpu]").count() === 0;
        if (ignore) console.log("Skipped: the demo page on WebGPU, since this Chromium has no adapter");
        await t.step({ name: "WebGPU answers as the CPU does", ignore, fn: () => classifyOnWebgpu(page) });
        await t.step({ name: "a network learns on WebGPU", ignore, fn: () => learnOnWebgpu(page) });
        assert.deepEqual(errors, []);
      }, true);
    }),
});

/** Noise of the size that keeps activations as they are, so that an answer depends on the image. */
function someWeights(model: Module): Uint8Array {
  const tensors = Array.from(stateDict(model), ([name, { shape }], i): [string, SafeTensor] => {
    const inputs = sizeOf(shape.slice(1)) || 1;
    const most = shape.length > 1 ? Math.sqrt(6 / inputs) : 0.5;
    const least = name.endsWith("running_var") ? 0 : -most;
    const data = uniform(i + 1, sizeOf(shape), least, most);
    return [name, { dtype: "F32", shape, data: Float32Array.from(data) }];
  });
  return writeSafetensors(tensors);
}

async function classify(page: Page, folder: string): Promise<void> {
  const weights = await put(
    join(folder, "weights.safetensors"),
    someWeights(squeezenet1_1({ num_classes: 12 })),
  );
  const image = await put(
    join(folder, "image.png"),
    await sharp(await photograph(180, 90, 40, 300, 260)).png().toBuffer(),
  );
  const { out } = await printed(
    predict,
    weights,
    image,
    "--model",
    "squeezenet1_1",
    "--json",
    "--threads",
    "2",
  );
  const [{ predictions }] = JSON.parse(out).images;
  await page.setInputFiles("#files", [weights, image]);
  const { names, probabilities } = await shownAnswers(page);
  assert.deepEqual(names, predictions.map(({ class: name }: { class: string }) => name));
  for (const [i, { probability }] of predictions.entries()) {
    assert.ok(Math.abs(probabilities[i]! - probability) < 1e-4, `${probabilities[i]}, not ${probability}`);
  }
  assert.match(
    (await page.locator("#classify-status").textContent())!,
    /^squeezenet1_1 took \d+\.\d ms on the CPU: WebAssembly, \d+ threads?$/,
  );
  await page.setInputFiles("#files", await put(join(folder, "names.txt"), "Abc\n".repeat(12)));
  await page.locator("#answers .name", { hasText: "Abc" }).first().waitFor(WAIT);
}

/** The likeliest classes that the page shows, when it does. */
async function shownAnswers(page: Page): Promise<{ names: string[]; probabilities: number[] }> {
  const answers = page.locator("#answers li");
  await answers.nth(4).waitFor(WAIT);
  return {
    names: await answers.locator(".name").allTextContents(),
    probabilities: await answers.locator("meter").evaluateAll((meters) =>
      meters.map((meter) => (meter as unknown as { value: number }).value)
    ),
  };
}

async function mistakes(page: Page): Promise<void> {
  const said = (text: RegExp) => page.locator("#classify-notice", { hasText: text }).waitFor(WAIT);
  await page.selectOption("#model", "resnet18");
  await said(
    /^weights\.safetensors: weights of another network: .*; choose squeezenet1_1, which they are of$/,
  );
  const drop = (name: string, mimeType: string, text = "nothing") =>
    page.setInputFiles("#files", { name, mimeType, buffer: Buffer.from(text) });
  await drop("photo.png", "image/png");
  await said(/^photo\.png: this browser cannot decode it as an image$/);
  await drop("weights.bin", "application/octet-stream");
  await said(/^weights\.bin: no weights of a format that is known/);
  await page.selectOption("#model", "squeezenet1_1");
  await page.locator("#answers li").first().waitFor(WAIT);
  await drop("notes.txt", "text/plain", "Some notes\nof mine\n");
  await said(/^notes\.txt: 2 lines, but squeezenet1_1 has 12 classes; a text file names them, one a line$/);
  // The classes have their numbers again.
  await page.locator("#answers .name", { hasText: /^class \d+$/ }).first().waitFor(WAIT);
  await drop("empty.txt", "text/plain", "\n");
  await said(/^empty\.txt: there is nothing in it/);
}

/** The next run starts behind it, so when that one is shown, the first has long come out of all that it waited for. */
async function endAtOnce(page: Page): Promise<void> {
  await page.selectOption("#train-model", "small_net");
  await page.evaluate(`{
    const title = document.querySelector("#title");
    globalThis.titles = [];
    new MutationObserver(() => titles.push(title.textContent)).observe(title, { childList: true });
    document.querySelector("#start").click();
    document.querySelector("#again").click();
  }`);
  await page.selectOption("#train-model", "linear");
  await page.click("#start");
  await page.locator("#title", { hasText: "linear learns digits" }).waitFor(WAIT);
  await page.click("#again");
  const titles = await page.evaluate<string[]>("titles");
  assert.ok(!titles.some((title) => title.startsWith("small_net learns digits")), titles.join());
}

/** With a network of which every epoch is drawn: those of the smallest are over before the next drawing. */
async function learn(page: Page): Promise<void> {
  await page.selectOption("#train-model", "resnet8_keras");
  await page.click("#start");
  // The curve in words: the smoothed loss of training, then that of the test.
  const words = await page.waitForFunction(
    "/, (\\S+) on the test images after epoch 1$/.exec(loss.getAttribute('aria-label'))?.[1]",
    undefined,
    WAIT,
  );
  await page.click("#start");
  await page.locator("#phase", { hasText: "Paused" }).waitFor(WAIT);
  const position = () => page.locator("#position").textContent();
  const before = await position();
  const { losses, tested } = await trainHere("resnet8_keras", await rateOf(page));
  assert.ok(losses.at(-1)! < losses[0]!, "it learns nothing");
  assert.equal(await words.jsonValue(), loss(tested), "the browser computes something else");
  assert.equal(await page.locator("#samples li.right, #samples li.wrong").count(), 12);
  assert.equal(await position(), before, "a paused run goes on");

  await page.click("#start");
  await page.locator("#phase", { hasText: /Training|Testing|Finished/ }).waitFor(WAIT);
  await page.click("#again");
  assert.ok(await page.locator("#start", { hasText: "Start" }).isVisible());
  assert.ok(await page.locator("#tiles").isHidden());
}

const rateOf = async (page: Page) => Number(await page.locator("#rate").inputValue());

/** The losses of the same run in Deno, of its first steps, or of its first epoch with the test's. */
async function trainHere(
  learner: string,
  lr: number,
  steps = Infinity,
): Promise<{ losses: number[]; tested?: number }> {
  const backend = await createWasmBackend({ threads: 2, tile: 8 });
  const losses: number[] = [];
  try {
    const trainer = createTrainer(digitsRun(backend, await loadDigits(), learner, lr));
    await trainer.initialise();
    for await (const event of trainer.train()) {
      if (event.type === "step") losses.push(event.loss);
      if (event.type === "epoch") return { losses, tested: event.test.loss };
      if (losses.length === steps) break;
    }
    return { losses };
  } finally {
    backend.close();
  }
}

async function classifyOnWebgpu(page: Page): Promise<void> {
  await page.setInputFiles("#files", [
    { name: "weights", mimeType: "", buffer: Buffer.from(someWeights(resnet8_keras())) },
    { name: "image.png", mimeType: "image/png", buffer: await quarters().png().toBuffer() },
  ]);
  const answersOn = async (device: string, label: string) => {
    await page.selectOption("#backend", device);
    await page.locator("#classify-status", { hasText: label }).waitFor(WAIT);
    return await shownAnswers(page);
  };
  const cpu = await answersOn("wasm", "on the CPU"), gpu = await answersOn("webgpu", "on WebGPU");
  assert.deepEqual(gpu.names, cpu.names);
  gpu.probabilities.forEach((probability, i) => {
    assert.ok(Math.abs(probability - cpu.probabilities[i]!) < 1e-4, `${probability}`);
  });
}

/** With the smallest network: in software each kernel takes a second to compile. */
async function learnOnWebgpu(page: Page): Promise<void> {
  await page.selectOption("#backend", "webgpu");
  await page.selectOption("#train-model", "linear");
  await page.click("#start");
  await page.locator("#position", { hasText: /step [2-9]/ }).waitFor(WAIT);
  await page.click("#start");
  await page.locator("#phase", { hasText: "Paused" }).waitFor(WAIT);
  const step = Number(/step (\d+)/.exec((await page.locator("#position").textContent())!)![1]);
  const shown = parseFloat((await page.locator("#tiles dd").first().textContent())!);
  const { losses } = await trainHere("linear", await rateOf(page), step);
  assert.ok(shown < losses[0]!, "it learns nothing");
  assert.ok(Math.abs(shown - losses.at(-1)!) < 1e-3, `${shown}, not ${losses.at(-1)}`);
}

async function unshared(page: Page, url: string): Promise<void> {
  await page.route(url, async (route) => {
    const response = await route.fetch();
    const { "cross-origin-embedder-policy": isolates, ...headers } = response.headers();
    assert.equal(isolates, "require-corp");
    await route.fulfill({ response, headers });
  });
  await page.goto(url);
  await page.locator("#page-notice", { hasText: "may not share memory between threads" }).waitFor(WAIT);
  assert.equal(await page.locator("button:visible, input:visible").count(), 0);
}
