import assert from "node:assert/strict";
import sharp from "sharp";
import { contactSheet } from "../../../host/images/contact_sheet.ts";

Deno.test("a long heading stays over its own column", async () => {
  const image = { width: 224, height: 40, channels: 3, data: new Uint8Array(224 * 40 * 3) };
  /** The pixels over the left column. */
  const beside = async (heading: string) => {
    const sheet = await contactSheet([{ label: "", images: [image, image] }], ["seen", heading]);
    const strip = sharp(sheet).extract({ left: 0, top: 0, width: 12 + 224, height: 24 });
    return new Uint8Array(await strip.raw().toBuffer());
  };
  const alone = await beside("");
  assert.ok(alone.some((value) => value < 100), "the heading itself");
  assert.deepEqual(await beside("66.6 % black and gold garden spider, Argiope aurantia"), alone);
});
