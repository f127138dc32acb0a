/** `train --dashboard` as its user meets it: a run, and its page in a browser, where there is one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { boxPictures, writeVoc } from "../support/boxes.ts";
import { inBrowser, withBrowser } from "../support/browser.ts";
import { withFolder } from "../support/temp_folder.ts";
import { commandWithPictures } from "../support/tiny_run.ts";

const root = new URL("../../", import.meta.url).pathname;
const browserTest = inBrowser("the live page");
/** Long, for machines that are busy with other things. */
const WAIT = { timeout: 120_000 };

/** A network that takes no time. */
const NET = `
import * as nn from "${root}core/nn/mod.ts";
export default ({ num_classes = 10, in_channels = 3 } = {}) => new nn.Sequential(
  new nn.Conv2d(in_channels, 8, 3, { stride: 2 }), new nn.ReLU(),
  new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(8, num_classes),
);
`;

function start(...args: string[]): Deno.ChildProcess {
  return commandWithPictures(args).spawn();
}

/** A run of the network that ends long after its test, with its page. */
async function longRun(folder: string, network: string, ...args: string[]): Promise<Deno.ChildProcess> {
  const net = join(folder, "net.ts");
  await Deno.writeTextFile(net, network);
  return start("--model", net, ...args, "--epochs", "100000", "--output", join(folder, "run"), "--dashboard");
}

/** Ends a run that a failed assertion left going, which would write into its folder while that is removed. */
async function end(run: Deno.ChildProcess): Promise<void> {
  await run.stderr.cancel();
  try {
    run.kill("SIGKILL");
  } catch {
    // It has ended.
  }
  await run.status;
}

/** Reads until the address is told; the rest goes on being read, so that the run never waits for its reader. */
async function addressOf(child: Deno.ChildProcess): Promise<string> {
  const found = Promise.withResolvers<string>();
  let output = "";
  void (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      const url = /^Dashboard: (http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(output)?.[1];
      if (url) found.resolve(url);
    }
    found.reject(new Error(`no address in ${output}`));
  })();
  return await found.promise;
}

Deno.test("mistakes about the page get one line", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await withFolder(async (folder) => {
    const net = join(folder, "net.ts");
    await Deno.writeTextFile(net, NET);
    const cases: [args: string[], message: RegExp][] = [
      [
        ["--dashboard", "http"],
        /^error: --dashboard must be a whole number of 0 or more and at most 65535, not "http"$/m,
      ],
      [
        ["--dry-run", "--dashboard"],
        /^error: --dashboard does not go with --dry-run: it shows a run that trains$/m,
      ],
      [["--dashboard", "70000"], /^error: --dashboard must be a whole number/m],
      [
        ["--model", net, "--output", join(folder, "run"), "--dashboard", `${taken.addr.port}`],
        /^error: --dashboard \d+: the port is taken; name another, or none and a free one is found$/m,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await start(...args).output();
      assert.match(new TextDecoder().decode(stderr), message);
      assert.equal(code, 2);
    }
  });
  taken.close();
});

Deno.test("a resumed run's page begins with the epochs before", async () => {
  await withFolder(async (folder) => {
    const net = join(folder, "net.ts");
    await Deno.writeTextFile(net, NET);
    const output = join(folder, "run");
    const first = await start("--model", net, "--epochs", "2", "--output", output).output();
    assert.equal(first.code, 0);
    const run = start("--resume", output, "--model", net, "--epochs", "400", "--dashboard");
    const stream = await fetch(`${await addressOf(run)}events`);
    let text = "";
    for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("\n\n")) break;
    }
    const { epochs, run: { title, classes, samples } } = JSON.parse(/^data: (.*)$/m.exec(text)![1]!);
    assert.equal(title, "net on digits", "as its pictures are called, without the folder of the network");
    const log = (await Deno.readTextFile(join(output, "log.csv"))).split("\n");
    assert.deepEqual([epochs[0].epoch, epochs[1].epoch], [1, 2]);
    assert.equal(epochs[1].test_accuracy, Number(log[2]!.split(",")[4]));
    assert.equal(classes.length, 10);
    assert.equal(samples.length, 12);
    run.kill("SIGTERM");
    assert.equal((await run.status).code, 143);
    await run.stderr.cancel();
  });
});

Deno.test({
  name:
    "the page follows a run in a browser, survives a reload and the run's end, and fits a phone and a laptop",
  ...browserTest,
  async fn() {
    await withFolder(async (folder) => {
      const run = await longRun(folder, NET);
      const errors: string[] = [];
      try {
        await withBrowser(async (browser) => {
          const url = await addressOf(run);
          const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
          page.on("pageerror", ({ message }) => errors.push(message));
          page.on("request", (request) => {
            if (!request.url().startsWith(url)) errors.push(`asks elsewhere: ${request.url()}`);
          });
          const epochs = () => page.locator("#epochs tr").count();
          const until = (text: string) => page.locator("#phase", { hasText: text }).waitFor(WAIT);
          await page.goto(url);
          await page.locator("#epochs tr").nth(1).waitFor(WAIT);
          assert.equal(await page.locator("#loss canvas").count(), 1);
          assert.equal(await page.locator("#samples li.right, #samples li.wrong").count(), 12);
          await page.waitForFunction(
            "[...document.querySelectorAll('#samples img')].every((image) => image.naturalWidth === 32)",
          );
          // Counted from 1, as in the run's pictures.
          const sample = page.locator("#samples img").first();
          assert.equal(
            Number(/^Test image (\d+):/.exec((await sample.getAttribute("alt"))!)![1]),
            Number(/(\d+)\.bmp$/.exec((await sample.getAttribute("src"))!)![1]) + 1,
          );
          assert.match(
            (await page.locator("#confusion").getAttribute("aria-label"))!,
            /^Epoch \d+: \d+ of \d+ test images/,
          );
          const fits = () => page.evaluate("document.documentElement.scrollWidth <= innerWidth");
          assert.ok(await fits(), "too wide for a phone");
          await page.setViewportSize({ width: 1366, height: 768 });
          assert.ok(await fits(), "too wide for a laptop");

          const before = await epochs();
          await page.reload();
          await page.locator("#epochs tr").nth(before - 1).waitFor(WAIT);
          assert.match(
            (await page.locator("#loss").getAttribute("aria-label"))!,
            /on the test images after epoch/,
          );

          run.kill("SIGINT");
          await until("Stopped");
          const left = Date.now();
          assert.equal((await run.status).code, 130);
          assert.ok(Date.now() - left < 5000, "the page keeps the run from ending");
          assert.ok(await epochs() >= before, "the last state is gone");
          assert.deepEqual(errors, []);
        });
      } finally {
        await end(run);
      }
    });
  },
});

Deno.test({
  name: "a run that is killed leaves its page with the last state, and the page says so",
  ...browserTest,
  async fn() {
    await withFolder(async (folder) => {
      const run = await longRun(folder, NET);
      try {
        await withBrowser(async (browser) => {
          const page = await browser.newPage();
          await page.goto(await addressOf(run));
          await page.locator("#epochs tr").first().waitFor(WAIT);
          run.kill("SIGKILL");
          await page.locator("#phase", { hasText: "Connection lost" }).waitFor(WAIT);
          assert.ok(await page.locator("#epochs tr").count() > 0);
          await run.status;
        });
      } finally {
        await end(run);
      }
    });
  },
});

/** A detector that takes no time. */
const DETECTOR = `
import * as nn from "${root}core/nn/mod.ts";
export const input = [3, 64, 64];
export default class extends nn.Module {
  conv = new nn.Conv2d(3, 8, 3, { stride: 16, padding: 1 });
  constructor({ num_classes = 20 } = {}) {
    super();
    this.map = { split_size: 4, num_boxes: 2, num_classes };
    this.head = new nn.Conv2d(8, num_classes + 10, 1);
  }
  forward(x) { return nn.flattenChannelsLast(this.head.forward(nn.relu(this.conv.forward(x)))); }
}
`;

Deno.test({
  name: "the page of a detector shows mean average precision, classes and boxes",
  ...browserTest,
  async fn() {
    await withFolder(async (folder) => {
      const data = join(folder, "data");
      await writeVoc(data, boxPictures(10));
      const run = await longRun(folder, DETECTOR, "--data", data, "--batch-size", "4");
      const errors: string[] = [];
      try {
        await withBrowser(async (browser) => {
          const page = await browser.newPage();
          page.on("pageerror", ({ message }) => errors.push(message));
          await page.goto(await addressOf(run));
          await page.locator("#epochs tr").nth(1).waitFor(WAIT);
          await page.locator("#precision tr").nth(1).waitFor(WAIT);
          assert.equal(await page.locator("#precision tr").count(), 2);
          assert.match(
            (await page.locator("#accuracy").getAttribute("aria-label"))!,
            /mean average precision: \d+\.\d\d % at an IoU of 0\.5 after epoch \d+$/,
          );
          assert.equal(await page.locator("#samples .boxed").count(), 2);
          assert.equal(await page.locator("#samples rect.there").count(), 2);
          assert.ok(await page.locator("#confusion-title").isHidden());
          assert.match(await page.locator("#tiles").innerText(), /Test mAP@0\.5/i);
          assert.deepEqual(errors, []);
        });
      } finally {
        await end(run);
      }
    });
  },
});
