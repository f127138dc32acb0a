/** Data sets of boxes that tests make for themselves: dark pictures, in each a bright box. */
import sharp from "sharp";
import type { Box } from "../../core/detect/box.ts";
import { writeFiles } from "./write_files.ts";

export interface BoxPicture {
  readonly box: Box;
  readonly label: "red" | "green";
}

const [WIDTH, HEIGHT] = [60, 40];
const COLOURS = { red: { r: 230, g: 40, b: 40 }, green: { r: 40, g: 220, b: 60 } };

/** The same pictures whenever the count is: 60 × 40 pixels. */
export function boxPictures(count: number): BoxPicture[] {
  return Array.from({ length: count }, (_, i) => {
    const [x1, y1] = [(i * 17) % 36, (i * 11) % 20];
    return {
      box: { x1, y1, x2: x1 + 14 + (i * 5) % 10, y2: y1 + 12 + (i * 7) % 8 },
      label: i % 2 === 0 ? "red" : "green",
    };
  });
}

async function png({ box: { x1, y1, x2, y2 }, label }: BoxPicture): Promise<Uint8Array> {
  const box = sharp({
    create: { width: x2 - x1, height: y2 - y1, channels: 3, background: COLOURS[label] },
  });
  const picture = sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: "#181820" } });
  const bytes = await picture.composite([{ input: await box.png().toBuffer(), left: x1, top: y1 }]).png()
    .toBuffer();
  return new Uint8Array(bytes);
}

/** Writes them as PASCAL VOC has them; `lists` are those of ImageSets, by name the pictures' numbers. */
export async function writeVoc(
  folder: string,
  pictures: readonly BoxPicture[],
  lists: Readonly<Record<string, readonly number[]>> = {},
): Promise<void> {
  const files: Record<string, string | Uint8Array> = {};
  for (const [i, picture] of pictures.entries()) {
    const { box: { x1, y1, x2, y2 }, label } = picture;
    files[`JPEGImages/${i}.png`] = await png(picture);
    // VOC counts pixels from 1, and the last one is inside.
    files[`Annotations/${i}.xml`] =
      `<annotation><size><width>${WIDTH}</width><height>${HEIGHT}</height></size><object>` +
      `<name>${label}</name><bndbox><xmin>${x1 + 1}</xmin><ymin>${y1 + 1}</ymin><xmax>${x2}</xmax>` +
      `<ymax>${y2}</ymax></bndbox></object></annotation>`;
  }
  for (const [name, numbers] of Object.entries(lists)) {
    files[`ImageSets/Main/${name}.txt`] = numbers.join("\n");
  }
  await writeFiles(folder, files);
}

/** The same as YOLO has them, in `part/images` and `part/labels`. */
export async function writeYolo(
  folder: string,
  parts: Readonly<Record<string, readonly BoxPicture[]>>,
): Promise<void> {
  const files: Record<string, string | Uint8Array> = { "data.yaml": "nc: 2\nnames: ['red', 'green']\n" };
  for (const [part, pictures] of Object.entries(parts)) {
    for (const [i, picture] of pictures.entries()) {
      const { box: { x1, y1, x2, y2 }, label } = picture;
      files[`${part}/images/${i}.png`] = await png(picture);
      const shares = [(x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT];
      files[`${part}/labels/${i}.txt`] = `${label === "red" ? 0 : 1} ${shares.join(" ")}\n`;
    }
  }
  await writeFiles(folder, files);
}
