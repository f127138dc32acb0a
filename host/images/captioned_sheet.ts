/** Pictures in a grid, each with a few lines of text below it, as a PNG: made by sharp, the text as SVG. */
import sharp from "sharp";
import { type Image, withChannels } from "../../core/data/transforms/image.ts";
import { escaped, shortened } from "../../core/svg_text.ts";
import type { Picture } from "../../core/tensorboard/event.ts";

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
/** Width and height of an image, where nothing else is said. */
const CELL = 168;
const COLUMNS = 6;
const TITLE = 34;
const TITLE_FONT = 17;
const FONT = 13;
const LINE = 18;
const FAMILY = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif";

/** `cells` are at least one; each is `cell` pixels wide and high, and so many are in a row at most. */
export async function captionedSheet(
  title: string,
  cells: readonly CaptionedImage[],
  { cell = CELL, most = COLUMNS }: { readonly cell?: number; readonly most?: number } = {},
): Promise<Picture> {
  const columns = Math.min(most, cells.length);
  const captions = Math.max(...cells.map(({ lines }) => lines.length));
  const shown = await Promise.all(cells.map(({ image }) => fitted(image, cell)));
  const rowOf = (i: number) => Math.floor(i / columns);
  /** Where each row's captions begin: as far below as its highest image needs. */
  const bottoms: number[] = [];
  shown.forEach(({ height }, i) => {
    const above = bottoms[rowOf(i) - 1];
    const top = above === undefined ? MARGIN + TITLE : above + captions * LINE + GAP;
    bottoms[rowOf(i)] = Math.max(bottoms[rowOf(i)] ?? 0, top + height);
  });
  const width = Math.max(420, 2 * MARGIN + columns * (cell + GAP) - GAP);
  const height = bottoms.at(-1)! + captions * LINE + MARGIN;
  const left = (i: number) => MARGIN + i % columns * (cell + GAP);
  const bottom = (i: number) => bottoms[rowOf(i)]!;
  const pictures = shown.map(({ png, width, height }, i) => ({
    input: png,
    left: left(i) + Math.floor((cell - width) / 2),
    top: bottom(i) - height,
  }));
  const texts = cells.flatMap(({ lines }, i) =>
    lines.map(({ text, colour }, line) =>
      textAt(
        shortened(text, cell / FONT),
        left(i) + cell / 2,
        bottom(i) + (line + 1) * LINE - 3,
        {
          "text-anchor": "middle",
          "font-size": FONT,
          fill: colour,
        },
      )
    )
  );
  const heading = textAt(shortened(title, (width - 2 * MARGIN) / TITLE_FONT), MARGIN, MARGIN + 16, {
    "font-size": TITLE_FONT,
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

/** Of images that are enlarged by whole factors, so that their pixels stay squares: the longest side. */
const SMALL = 96;

/** As large as a cell allows. */
async function fitted(image: Image, cell: number) {
  const { width, height, data } = withChannels(image, 3);
  const most = cell / Math.max(width, height);
  const isSmall = Math.max(width, height) <= Math.min(SMALL, cell);
  const factor = isSmall ? Math.floor(most) : most;
  const size = {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
  const raw = sharp(data, { raw: { width, height, channels: 3 } });
  const kernel = isSmall ? "nearest" : "lanczos3";
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
