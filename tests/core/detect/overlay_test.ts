import assert from "node:assert/strict";
import fc from "fast-check";
import { XMLParser } from "fast-xml-parser";
import { colourOf, type Marked, overlay } from "../../../core/detect/overlay.ts";

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fill: string;
}

interface Svg {
  readonly svg: { readonly rect?: Rect[]; readonly text?: { readonly "#text": string | number }[] };
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseAttributeValue: true,
  isArray: (name) => name === "rect" || name === "text",
});

function read(extent: { width: number; height: number }, marked: readonly Marked[]) {
  const { svg } = parser.parse(overlay(extent, marked)) as Svg;
  const rects = svg.rect ?? [];
  return {
    frames: rects.filter(({ fill }) => fill === "none"),
    tabs: rects.filter(({ fill }) => fill !== "none"),
    texts: (svg.text ?? []).map((text) => String(text["#text"])),
  };
}

const share = fc.integer({ min: -20, max: 120 }).map((x) => x / 100);
const someMarks = fc.record({
  width: fc.integer({ min: 16, max: 4000 }),
  height: fc.integer({ min: 16, max: 4000 }),
  boxes: fc.array(fc.tuple(share, share, share, share), { maxLength: 12 }),
}).map(({ width, height, boxes }) => ({
  width,
  height,
  marked: boxes.map(([a, b, c, d], label): Marked => ({
    box: {
      x1: Math.min(a, c) * width,
      y1: Math.min(b, d) * height,
      x2: Math.max(a, c) * width,
      y2: Math.max(b, d) * height,
    },
    label,
    text: `class ${label} 0.${10 + label}`,
  })),
}));

Deno.test("every box has a label, all of which lies within the image", () => {
  fc.assert(fc.property(someMarks, ({ width, height, marked }) => {
    const { frames, tabs } = read({ width, height }, marked);
    assert.deepEqual([frames.length, tabs.length], [2 * marked.length, marked.length]);
    for (const { x, y, width: w, height: h } of tabs) {
      // Coordinates are rounded to a tenth of a pixel.
      assert.ok(x >= 0 && y >= 0 && x + w <= width + 0.11 && y + h <= height + 0.11, `${x} ${y} ${w} ${h}`);
    }
  }));
});

Deno.test("labels keep clear of each other where there is room", () => {
  const mark = (x1: number, y1: number, label: number) => ({
    box: { x1, y1, x2: x1 + 200, y2: y1 + 150 },
    label,
    text: "raccoon 0.87",
  });
  const { tabs, texts } = read({ width: 640, height: 480 }, [
    mark(100, 100, 0),
    mark(100, 100, 1),
    mark(110, 104, 2),
  ]);
  for (const [i, a] of tabs.entries()) {
    for (const b of tabs.slice(i + 1)) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y ||
        b.y + b.height <= a.y;
      assert.ok(apart, `${JSON.stringify(a)} covers ${JSON.stringify(b)}`);
    }
  }
  assert.deepEqual(texts, ["raccoon 0.87", "raccoon 0.87", "raccoon 0.87"]);
});

Deno.test("letters grow with the image, and what does not fit is cut", () => {
  const heightOf = (side: number) => {
    const [tab] =
      read({ width: side, height: side }, [{ box: { x1: 0, y1: 0, x2: 9, y2: 9 }, label: 0, text: "a" }])
        .tabs;
    return tab!.height;
  };
  assert.ok(heightOf(4000) > 9 * heightOf(400) && heightOf(100) > 12);
  const { texts } = read({ width: 60, height: 40 }, [{
    box: { x1: 0, y1: 0, x2: 9, y2: 9 },
    label: 0,
    text: "motorbike 0.91",
  }]);
  assert.match(texts[0]!, /^moto.*…$/);
});

Deno.test("names are text, whatever letters they have", () => {
  const box = { x1: 0, y1: 0, x2: 900, y2: 900 };
  const { texts } = read({ width: 999, height: 999 }, [{ box, label: 0, text: `<b> & "c"` }]);
  assert.deepEqual(texts, [`<b> & "c"`]);
});

Deno.test("the colours of 20 classes differ", () => {
  const colours = Array.from({ length: 20 }, (_, label) => colourOf(label).fill);
  const channels = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  for (const [i, a] of colours.entries()) {
    for (const b of colours.slice(0, i)) {
      const apart = Math.hypot(...channels(a).map((c, k) => c - channels(b)[k]!));
      assert.ok(apart > 40, `${a} and ${b}`);
    }
  }
});
