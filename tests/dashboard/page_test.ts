/** How the live page draws what a run may come to, in a browser where there is one. */
import assert from "node:assert/strict";
import { encodeBmp } from "../../core/format/bmp.ts";
import type { State } from "../../dashboard/protocol.ts";
import { serveDashboard } from "../../host/dashboard.ts";
import { pageFiles } from "../../host/dashboard_files.ts";
import { inBrowser, withBrowser } from "../support/browser.ts";

const browserTest = inBrowser("how the live page draws");

const classes = [
  "European fire salamander, Salamandra salamandra",
  "European fire salamander, larva",
  "a cat",
];

const state: State = {
  run: {
    title: "net on animals",
    facts: [],
    kind: "classes",
    classes,
    samples: [{ index: 0, label: 0 }, { index: 1, label: 1 }],
    epochs: 2,
    steps: 2,
  },
  status: { phase: "training", text: "" },
  now: {
    epoch: 2,
    step: 1,
    loss: 1,
    accuracy: 0.5,
    lr: 0.1,
    images_per_second: 9,
    seconds_left: 9,
    seconds: 9,
  },
  history: { stride: 1, from: 0, rows: [[0.5, 2, 0.2, 0.1, 9], [1, 1, 0.5, 0.1, 9], [1.5, 1, 0.5, 0.1, 9]] },
  epochs: [{
    epoch: 1,
    train_loss: 1.5,
    train_accuracy: 0.4,
    test_loss: 1.2,
    test_accuracy: 0.5,
    seconds: 9,
  }],
  confusion: { epoch: 1, seen: 6, total: 6, right: 4, counts: [0, 0, 2, 0, 1, 1, 1, 1, 1, 2, 2, 1, 2, 0, 1] },
  precision: { epoch: 0, classes: [] },
  samples: [
    { index: 0, epoch: 1, predicted: 0, probability: 0.9 },
    { index: 1, epoch: 1, predicted: 0, probability: 0.9 },
  ],
};

/** What is written on the confusion matrix: how wide, how wide it may be, and where, in pixels of the page. */
interface Written {
  readonly text: string;
  readonly width: number;
  readonly most: number | null;
  readonly upright: boolean;
  readonly x: number;
  readonly y: number;
}

/** Run in the page before its own code. */
const RECORD = `
  globalThis.written = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, most = null) {
    if (this.canvas.id === "confusion") {
      const { width } = this.measureText(text);
      const at = this.getTransform().transformPoint({ x, y });
      const upright = this.getTransform().b !== 0;
      written.push({ text, width, most, upright, x: at.x / devicePixelRatio, y: at.y / devicePixelRatio });
    }
    return fillText.apply(this, arguments);
  };`;

Deno.test({
  name: "long names stay legible on the page, and lines with different dashes look different in its legend",
  ...browserTest,
  async fn() {
    const picture = encodeBmp(new Uint8Array(8 * 8 * 3), 8, 8, 3);
    const server = serveDashboard(0, {
      files: pageFiles,
      snapshot: () => state,
      picture: () => Promise.resolve(picture),
    });
    try {
      await withBrowser(async (browser) => {
        for (const width of [390, 1366]) {
          const page = await browser.newPage({ viewport: { width, height: 800 } });
          await page.addInitScript(RECORD);
          await page.goto(server.url);
          await page.locator("#samples li.wrong").waitFor();
          const written = await page.evaluate("written") as Written[];
          assert.ok(written.some(({ text }) => text.startsWith("Eu") && text.endsWith("dra")));
          for (const { text, width, most } of written) {
            assert.ok(most === null || width <= most, `${text} is squeezed from ${width} to ${most}`);
          }
          const title = written.find(({ text }) => text === "predicted")!;
          for (const { text, width, upright, x, y } of written.filter(({ text }) => /^Eu.*…/.test(text))) {
            // An upright name goes up from its column, one of a row to the left of it; the titles take 16 pixels.
            assert.ok(upright ? y - width > title.y + 6 : x - width > 15, `${text} lies on a title`);
          }
          const markers = await page.evaluate(
            `[...document.querySelectorAll("#loss .u-series:not(:first-child) .u-marker")]
              .map((marker) => getComputedStyle(marker).background)`,
          ) as string[];
          assert.equal(markers.length, 4);
          assert.equal(new Set(markers).size, 4, markers.join("\n"));
          // Two lines of 13 pixels' letters, and not one that ends in dots.
          const { height } = (await page.locator("#samples .verdict").first().boundingBox())!;
          assert.ok(height > 25 && height < 60, `${height}`);
          await page.close();
        }
      });
    } finally {
      await server.close();
    }
  },
});
