/** Pictures beside each other with a line of text below each, as a PNG: made by sharp, the text as SVG. */
import sharp from "sharp";
import { scaleBox } from "../../core/detect/box.ts";
import { type Marked, overlay } from "../../core/detect/overlay.ts";
import { type Image, withChannels } from "../../core/data/transforms/image.ts";
import { escaped, shortened, widthOf } from "../../core/svg_text.ts";

export interface SheetRow {
  /** Written to the left of the row. */
  readonly label: string;
  readonly images: readonly SheetImage[];
}

export interface SheetImage extends Image {
  /** Drawn on it, in its pixels. */
  readonly marked?: readonly Marked[];
  /** Lines below it. */
  readonly captions?: readonly string[];
}

const GAP = 6;
/** Small images are shown larger, by whole factors so that their pixels stay squares. */
const SMALLEST_SHOWN = 96;
const TEXT = 14;
const LINE = 17;
/** The most pixels of a label. */
const LABEL = 150;
/** Where images begin below the headings. */
const TOP = TEXT + 2 * GAP;

/** Pixels of the largest picture that sharp makes. */
export const MOST_PIXELS = 0x3fff ** 2;

export interface SheetShape {
  readonly rows: number;
  readonly columns: number;
  /** Of each image. */
  readonly width: number;
  readonly height: number;
  /** Lines below each image. */
  readonly captions: number;
}

/** Whether a sheet can be made, however wide its labels are. */
export function fitsSheet({ rows, columns, ...image }: SheetShape): boolean {
  const { width, height } = cellOf(image);
  return (leftOf(LABEL) + columns * width) * (TOP + rows * height) <= MOST_PIXELS;
}

/** What an image takes with the lines below it, and by how much it is enlarged. */
function cellOf({ width, height, captions }: Omit<SheetShape, "rows" | "columns">) {
  const factor = Math.max(1, Math.ceil(SMALLEST_SHOWN / Math.max(width, height)));
  return { factor, width: width * factor + GAP, height: height * factor + captions * LINE + GAP };
}

/** Where images begin beside labels of a width. */
function leftOf(labels: number): number {
  return 2 * GAP + Math.ceil(labels);
}

/** All images are of one size. `headings` stand over the columns. */
export async function contactSheet(
  rows: readonly SheetRow[],
  headings: readonly string[],
): Promise<Uint8Array> {
  const { width, height } = rows[0]!.images[0]!;
  const captions = Math.max(
    0,
    ...rows.flatMap(({ images }) => images.map((image) => image.captions?.length ?? 0)),
  );
  const { factor, width: cellWidth, height: cellHeight } = cellOf({ width, height, captions });
  const labels = rows.map(({ label }) => shortened(label, LABEL / TEXT));
  const left = leftOf(TEXT * Math.max(...labels.map(widthOf)));
  const size = {
    width: left + headings.length * cellWidth,
    height: TOP + rows.length * cellHeight,
  };
  const column = (index: number) => left + index * cellWidth;
  const row = (index: number) => TOP + index * cellHeight;
  const pictures = await Promise.all(rows.flatMap(({ images }, y) =>
    images.map(async (image, x) => ({
      input: await enlarged(image, factor),
      left: column(x),
      top: row(y),
    }))
  ));
  const texts = [
    ...headings.map((heading, x) =>
      text(shortened(heading, width * factor / TEXT), column(x) + width * factor / 2, GAP + TEXT, "middle")
    ),
    ...rows.flatMap(({ images }, y) =>
      images.flatMap(({ captions = [] }, x) =>
        captions.map((caption, line) =>
          text(
            shortened(caption, width * factor / TEXT),
            column(x) + width * factor / 2,
            row(y) + height * factor + (line + 1) * LINE - 4,
            "middle",
          )
        )
      )
    ),
    ...labels.map((label, y) => text(label, GAP, row(y) + cellHeight / 2, "start")),
  ];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${
    texts.join("")
  }</svg>`;
  const sheet = sharp({ create: { ...size, channels: 3, background: "#ffffff" } });
  return await sheet.composite([...pictures, { input: new TextEncoder().encode(svg) as never }]).png()
    .toBuffer();
}

async function enlarged({ marked = [], captions: _, ...image }: SheetImage, factor: number) {
  const { width, height, data } = withChannels(image, 3);
  const size = { width: width * factor, height: height * factor };
  const raw = sharp(data, { raw: { width, height, channels: 3 } });
  const png = await raw.resize(size.width, size.height, { kernel: "nearest" }).png().toBuffer();
  if (marked.length === 0) return png;
  const larger = marked.map((mark) => ({ ...mark, box: scaleBox(mark.box, factor, factor) }));
  const svg = new TextEncoder().encode(overlay(size, larger));
  return await sharp(png).composite([{ input: svg as never }]).png().toBuffer();
}

function text(content: string, x: number, y: number, anchor: "start" | "middle"): string {
  return `<text x="${x}" y="${y}" font-family="sans-serif" font-size="${TEXT}" text-anchor="${anchor}" fill="#222">${
    escaped(content)
  }</text>`;
}
