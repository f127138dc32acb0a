/** Boxes with their classes and confidences as an SVG of an image's size, to be laid over the image. */
import { escaped } from "../svg_text.ts";
import { areaOf, type Box, clipBox, intersection } from "./box.ts";

/** Of a box, and of what is written on that ground. */
export interface Colour {
  readonly fill: string;
  readonly ink: string;
}

export interface Marked {
  readonly box: Box;
  /** Index of the class: it decides the colour, where no other is given. */
  readonly label: number;
  readonly colour?: Colour;
  /** Nothing is written where it is empty. */
  readonly text: string;
}

interface Extent {
  readonly width: number;
  readonly height: number;
}

/** Of a letter's width to its height; the fonts asked for all have the same. */
const LETTER = 0.602;
const FONTS = "DejaVu Sans Mono,Liberation Mono,Menlo,Consolas,Courier New,monospace";
/** Letters and lines grow with the image, so that they can be read when it is shown small. */
const FONT_SHARE = 0.03;
const LINE_SHARE = 0.005;
const [SMALLEST_FONT, SMALLEST_LINE] = [11, 1.5];

/** Boxes are drawn in the given order, so the most important belongs last; all labels lie above all boxes. */
export function overlay({ width, height }: Extent, marked: readonly Marked[]): string {
  const side = Math.sqrt(width * height);
  const style = {
    font: Math.max(FONT_SHARE * side, SMALLEST_FONT),
    line: Math.max(LINE_SHARE * side, SMALLEST_LINE),
  };
  const frames = marked.map((item) =>
    frame(clipBox(item.box, width, height), colourFor(item).fill, style.line)
  );
  const taken: Box[] = [];
  // The most important label chooses its place first.
  const labels = marked.toReversed().filter(({ text }) => text !== "")
    .map((item) => tab(item, { width, height }, style, taken)).reverse();
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `${frames.join("")}${labels.join("")}</svg>`;
}

/** A coloured line on a wider dark one, which stands out on any ground; all of it within the box. */
function frame(box: Box, colour: string, line: number): string {
  const inset = line / 2;
  const [w, h] = [Math.max(box.x2 - box.x1 - line, 0), Math.max(box.y2 - box.y1 - line, 0)];
  const rect = `<rect x="${px(box.x1 + inset)}" y="${px(box.y1 + inset)}" width="${px(w)}" height="${
    px(h)
  }" fill="none"`;
  return `${rect} stroke="#000" stroke-opacity="0.45" stroke-width="${px(2 * line)}"/>` +
    `${rect} stroke="${colour}" stroke-width="${px(line)}"/>`;
}

interface Style {
  readonly font: number;
  readonly line: number;
}

/** The label at the first corner of its box where it covers no other label, moved into the image. */
function tab(item: Marked, extent: Extent, style: Style, taken: Box[]): string {
  const { box, text } = item;
  const { font, content, width, height } = fitted(text, extent, style);
  const { x1, y1, x2, y2 } = clipBox(box, extent.width, extent.height);
  const corners = [
    [x1, y1 - height],
    [x1, y1],
    [x2 - width, y1 - height],
    [x2 - width, y1],
    [x1, y2],
    [x1, y2 - height],
    [x2 - width, y2],
    [x2 - width, y2 - height],
  ] as const;
  const places = corners.map(([x, y]): Box => {
    const left = clamp(x, extent.width - width), top = clamp(y, extent.height - height);
    return { x1: left, y1: top, x2: left + width, y2: top + height };
  });
  const covers = (place: Box) => taken.reduce((sum, other) => sum + areaOf(intersection(place, other)), 0);
  const stays = (place: Box, i: number) => Math.abs(place.y1 - corners[i]![1]) < height / 2;
  const place = places.find((place, i) => stays(place, i) && covers(place) === 0) ??
    places.reduce((a, b) => covers(b) < covers(a) ? b : a);
  taken.push(place);
  const { fill, ink } = colourFor(item);
  return `<rect x="${px(place.x1)}" y="${px(place.y1)}" width="${px(width)}" height="${
    px(height)
  }" fill="${fill}"/>` +
    `<text x="${px(place.x1 + font * PADDING)}" y="${
      px(place.y1 + height / 2 + font * 0.35)
    }" font-family="${FONTS}" ` +
    `font-size="${px(font)}" fill="${ink}">${escaped(content)}</text>`;
}

/** Left and right of the text, and its line's height, in letters' heights. */
const PADDING = 0.3;
const LINE_HEIGHT = 1.3;

/** The text as large as it should be, or as fits; where even small letters do not fit, the end is cut to `…`. */
function fitted(text: string, extent: Extent, style: Style) {
  const columns = (content: string) =>
    [...content].reduce((sum, letter) => sum + (letter >= "\u1100" ? 2 : 1), 0);
  const widthOf = (content: string, font: number) => font * (LETTER * columns(content) + 2 * PADDING);
  const fits = extent.width / widthOf(text, 1);
  const font = Math.min(style.font, Math.max(fits, Math.min(SMALLEST_FONT, extent.height / LINE_HEIGHT)));
  let content = text;
  for (let letters = [...text]; widthOf(content, font) > extent.width && letters.length > 1;) {
    letters = letters.slice(0, -1);
    content = `${letters.join("")}…`;
  }
  return { font, content, width: Math.min(widthOf(content, font), extent.width), height: LINE_HEIGHT * font };
}

function clamp(x: number, most: number): number {
  return Math.min(Math.max(x, 0), Math.max(most, 0));
}

/** Of neighbours in hue, the lightness differs. */
const LIGHTNESS = [0.52, 0.36, 0.7] as const;

function colourFor({ colour, label }: Marked): Colour {
  return colour ?? colourOf(label);
}

/** A colour for each class, and black or white to write on it. */
export function colourOf(label: number): Colour {
  const hue = (28 + 137.508 * label) % 360, lightness = LIGHTNESS[label % LIGHTNESS.length]!;
  const [red, green, blue] = [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return lightness - 0.95 * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  }) as [number, number, number];
  const hex = [red, green, blue].map((c) => Math.round(255 * c).toString(16).padStart(2, "0")).join("");
  const luminance = 0.2126 * red ** 2.2 + 0.7152 * green ** 2.2 + 0.0722 * blue ** 2.2;
  return { fill: `#${hex}`, ink: luminance > 0.18 ? "#000" : "#fff" };
}

function px(x: number): string {
  return String(Math.round(10 * x) / 10);
}
