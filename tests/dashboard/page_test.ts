/** How the live page draws what a run may come to, in a browser where there is one. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { encodeBmp } from "../../core/format/bmp.ts";
import type { State } from "../../dashboard/protocol.ts";
import { serveDashboard } from "../../host/dashboard.ts";
import { pageFiles } from "../../host/dashboard_files.ts";
import { contrast, partsOf } from "../support/contrast.ts";
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
  /** Of the text, and of what was painted last below it. */
  readonly ink: string;
  readonly below: string;
}

/** Run in the page before its own code. */
const RECORD = `
  globalThis.written = [];
  globalThis.axis = []; // What is written on the chart of the loss.
  const { fillText, fillRect } = CanvasRenderingContext2D.prototype;
  let below = "";
  CanvasRenderingContext2D.prototype.fillRect = function (...place) {
    below = this.fillStyle;
    return fillRect.apply(this, place);
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, most = null) {
    if (this.canvas.closest("#loss")) axis.push(text);
    if (this.canvas.id === "confusion") {
      const { width } = this.measureText(text);
      const at = this.getTransform().transformPoint({ x, y });
      const upright = this.getTransform().b !== 0;
      const [left, top] = [at.x / devicePixelRatio, at.y / devicePixelRatio];
      written.push({ text, width, most, upright, x: left, y: top, ink: this.fillStyle, below });
    }
    return fillText.apply(this, arguments);
  };`;

/** Runs `body` with a page that shows a state. */
async function withPage(
  shown: State,
  options: { readonly width: number; readonly colorScheme?: "light" | "dark" },
  body: (page: Page) => Promise<void>,
): Promise<void> {
  const picture = encodeBmp(new Uint8Array(8 * 8 * 3), 8, 8, 3);
  const server = serveDashboard(0, {
    files: pageFiles,
    snapshot: () => shown,
    picture: () => Promise.resolve(picture),
  });
  const { width, colorScheme = "light" } = options;
  try {
    await withBrowser(async (browser) => {
      const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
      await page.addInitScript(RECORD);
      await page.goto(server.url);
      await page.locator("#samples li").first().waitFor();
      await body(page);
    });
  } finally {
    await server.close();
  }
}

for (const width of [390, 1366]) {
  Deno.test({
    name: `long names stay legible on a page of ${width} pixels`,
    ...browserTest,
    fn: () =>
      withPage(state, { width }, async (page) => {
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
        // Two lines of 13 pixels' letters, and not one that ends in dots.
        const { height } = (await page.locator("#samples .verdict").first().boundingBox())!;
        assert.ok(height > 25 && height < 60, `${height}`);
      }),
  });
}

Deno.test({
  name: "lines with different dashes look different in the legend",
  ...browserTest,
  fn: () =>
    withPage(state, { width: 1366 }, async (page) => {
      const markers = await page.evaluate(
        `[...document.querySelectorAll("#loss .u-series:not(:first-child) .u-marker")]
          .map((marker) => getComputedStyle(marker).background)`,
      ) as string[];
      assert.equal(markers.length, 4);
      assert.equal(new Set(markers).size, 4, markers.join("\n"));
    }),
});

for (const [colorScheme, ground] of [["light", [236, 235, 230]], ["dark", [44, 43, 41]]] as const) {
  Deno.test({
    name: `each number of the confusion matrix can be read on its cell, ${colorScheme}`,
    ...browserTest,
    async fn() {
      const parts = [...Array(10).keys()];
      const counts = parts.flatMap((i) => [i, i, 100 - 10 * i, i, (i + 1) % 10, 10 * i]);
      const shown = {
        ...state,
        run: { ...state.run, classes: parts.map((i) => `class ${i}`) },
        confusion: { ...state.confusion, counts },
      };
      await withPage(shown, { width: 1366, colorScheme }, async (page) => {
        const numbers = (await page.evaluate("written") as Written[]).filter(({ text }) =>
          /^\d+$/.test(text)
        );
        assert.equal(numbers.length, 20);
        for (const { text, ink, below } of numbers) {
          const [red, green, blue, alpha = 1] = partsOf(below) as [number, number, number, number?];
          const cell = [red, green, blue].map((part, i) => alpha * part + (1 - alpha) * ground[i]!);
          const told = contrast(cell, partsOf(ink));
          assert.ok(told > 4.5, `${text}: ${ink} on ${below} has a contrast of ${told}`);
        }
      });
    },
  });
}

Deno.test({
  name: "the first step is seen before there is a line",
  ...browserTest,
  async fn() {
    const shown = {
      ...state,
      history: { ...state.history, rows: [[0.5, 2, 0.2, 0.1, 9]] },
      epochs: [],
      confusion: { ...state.confusion, epoch: 0 },
    };
    await withPage(shown, { width: 1366 }, async (page) => {
      for (const chart of ["loss", "accuracy", "lr", "speed"]) {
        const blue = await page.evaluate(`(() => {
          const canvas = document.querySelector("#${chart} canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let count = 0;
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i + 2] - data[i] > 100) count++;
          return count;
        })()`) as number;
        assert.ok(blue > 5, `${chart} has ${blue} pixels of its line's colour`);
      }
    });
  },
});

Deno.test({
  name: "a detector's page: losses of all sizes can be told apart, and the best mAP stands out",
  ...browserTest,
  async fn() {
    const rows = [200, 40, 16, 14, 13.5, 13].map((loss, i) => [(i + 1) / 2, loss, null, 0.1, 9]);
    const epochs = [[150, 0.1], [15, 0.3], [13, 0.2]].map(([loss, test_map50], i) => ({
      epoch: i + 1,
      train_loss: loss!,
      test_loss: loss!,
      test_map50: test_map50!,
      test_map50_95: 0.01,
      images_per_second: 9,
      seconds: 9,
    }));
    const shown: State = {
      ...state,
      run: { ...state.run, kind: "boxes", samples: [{ index: 0, boxes: [] }] },
      history: { ...state.history, rows },
      epochs,
      samples: [],
    };
    await withPage(shown, { width: 1366 }, async (page) => {
      const axis = await page.evaluate("axis") as string[];
      // Of a linear axis up to 200 these two would be at one height.
      for (const tick of ["20", "100"]) assert.ok(axis.includes(tick), `${axis}`);
      const bold = await page.evaluate(
        `[...document.querySelectorAll("#epochs td")].filter((cell) => getComputedStyle(cell).fontWeight > 500)
          .map((cell) => cell.textContent)`,
      );
      assert.deepEqual(bold, ["30.00 %"]);
    });
  },
});
