/** Pictures in a grid, each with a few lines of text below it, as a PNG: made by sharp, the text as SVG. */
import sharp from "sharp";
import { type Image, withChannels } from "../../core/data/transforms/image.ts";
import type { Picture } from "../../core/tensorboard/event.ts";
import { escaped } from "./contact_sheet.ts";

export interface Line {
  readonly text: string;
  readonly colour: string;
}

export interface CaptionedImage {
  readonly image: Image;
  readonly lines: readonly Line[];
}

const MARGIN = 16;
const GAP = 14;
const CELL = 168;
const COLUMNS = 6;
const TITLE = 34;
const FONT = 13;
const LINE = 18;
/** Of a line; no common sans-serif font takes more than so many pixels a letter on average. */
const LETTERS = Math.floor(CELL / 7.4);
const FAMILY = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif";

/** `cells` are at least one. */
export async function captionedSheet(title: string, cells: readonly CaptionedImage[]): Promise<Picture> {
  const columns = Math.min(COLUMNS, cells.length);
  const captions = Math.max(...cells.map(({ lines }) => lines.length));
  const row = CELL + captions * LINE + GAP;
  const width = Math.max(420, 2 * MARGIN + columns * (CELL + GAP) - GAP);
  const height = 2 * MARGIN + TITLE + Math.ceil(cells.length / columns) * row - GAP;
  const left = (i: number) => MARGIN + i % columns * (CELL + GAP);
  const top = (i: number) => MARGIN + TITLE + Math.floor(i / columns) * row;
  const pictures = await Promise.all(cells.map(async ({ image }, i) => {
    const shown = await fitted(image);
    return {
      input: shown.png,
      left: left(i) + Math.floor((CELL - shown.width) / 2),
      top: top(i) + CELL - shown.height,
    };
  }));
  const texts = cells.flatMap(({ lines }, i) =>
    lines.map(({ text, colour }, line) =>
      textAt(cut(text), left(i) + CELL / 2, top(i) + CELL + (line + 1) * LINE - 3, {
        "text-anchor": "middle",
        "font-size": FONT,
        fill: colour,
      })
    )
  );
  const heading = textAt(title, MARGIN, MARGIN + 16, {
    "font-size": 17,
    "font-weight": 600,
    fill: "#222222",
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `font-family="${FAMILY}">${heading}${texts.join("")}</svg>`;
  const sheet = sharp({ create: { width, height, channels: 3, background: "#ffffff" } });
  const png = await sheet.composite([...pictures, { input: new TextEncoder().encode(svg) as never }]).png()
    .toBuffer();
  return { width, height, png: new Uint8Array(png) };
}

/** As large as a cell allows; small images by whole factors, so that their pixels stay squares. */
async function fitted(image: Image) {
  const { width, height, data } = withChannels(image, 3);
  const most = CELL / Math.max(width, height);
  const factor = most >= 1 ? Math.floor(most) : most;
  const size = {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
  const raw = sharp(data, { raw: { width, height, channels: 3 } });
  const kernel = factor >= 1 ? "nearest" : "lanczos3";
  const png = await raw.resize(size.width, size.height, { kernel, fit: "fill" }).png().toBuffer();
  return { ...size, png };
}

function textAt(
  content: string,
  x: number,
  y: number,
  attributes: Readonly<Record<string, string | number>>,
): string {
  const more = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`).join("");
  return `<text x="${x}" y="${y}"${more}>${escaped(content)}</text>`;
}

function cut(text: string): string {
  const letters = [...text];
  return letters.length <= LETTERS ? text : letters.slice(0, LETTERS - 1).join("") + "…";
}
