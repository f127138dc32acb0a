/** Image files for tests, made by sharp. */
import { dirname } from "node:path";
import sharp, { type Sharp } from "sharp";

/** A picture whose four corners have colours of their own, in RGB. */
export const CORNERS = {
  topLeft: [200, 30, 30],
  topRight: [30, 180, 40],
  bottomLeft: [40, 50, 210],
  bottomRight: [220, 210, 60],
} as const;

/** The corners' picture, of flat quarters, as sharp's pipeline. */
export function quarters(width = 40, height = 24): Sharp {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const [top, left] = [y < height / 2, x < width / 2];
      data.set(
        top ? (left ? CORNERS.topLeft : CORNERS.topRight) : left ? CORNERS.bottomLeft : CORNERS.bottomRight,
        at,
      );
    }
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** Writes a file, and the folders above it. */
export async function put(path: string, bytes: Uint8Array | string): Promise<string> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await (typeof bytes === "string" ? Deno.writeTextFile(path, bytes) : Deno.writeFile(path, bytes));
  return path;
}

/** What is called an image in a folder and is none: links that lead nowhere, a pipe that nobody writes to. Returns their paths. */
export async function putOddFiles(folder: string): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const [lost, loop, pipe] = ["lost.jpg", "loop.jpg", "pipe.jpg"].map((name) => `${folder}/${name}`) as [
    string,
    string,
    string,
  ];
  await Deno.symlink("nowhere.jpg", lost);
  await Deno.symlink("loop.jpg", loop);
  const { success } = await new Deno.Command("mkfifo", { args: [pipe] }).output();
  if (!success) throw new Error(`${pipe}: mkfifo fails`);
  return [loop, lost, pipe];
}

/** A JPEG of one colour with some texture. */
export async function photograph(
  red: number,
  green: number,
  blue: number,
  width = 30,
  height = 20,
): Promise<Uint8Array> {
  const data = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => [red, green, blue][i % 3]! + (Math.floor(i / 3) * 7) % 23,
  );
  return await sharp(data, { raw: { width, height, channels: 3 } }).jpeg({ quality: 95 }).toBuffer();
}
