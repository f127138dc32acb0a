/** Image files that tests make for themselves. */
import sharp from "sharp";

export interface Plain {
  readonly width: number;
  readonly height: number;
  readonly colour?: string;
}

/** An image of one colour, as the bytes of a JPEG or a PNG file. */
export async function plainImage({ width, height, colour = "teal" }: Plain, format: "jpeg" | "png" = "jpeg") {
  const image = sharp({ create: { width, height, channels: 3, background: colour } });
  return new Uint8Array(await image.toFormat(format).toBuffer());
}
