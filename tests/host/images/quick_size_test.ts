import assert from "node:assert/strict";
import sharp from "sharp";
import { quickSize } from "../../../host/images/quick_size.ts";
import { quarters } from "../../support/pictures.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

Deno.test("quick size: of JPEG and PNG, whatever stands before it; of nothing else", loose, async () => {
  const picture = () => quarters(52, 31);
  const known = [
    await picture().jpeg().toBuffer(),
    await picture().jpeg({ progressive: true }).withMetadata({ orientation: 3 }).toBuffer(),
    await picture().greyscale().jpeg().toBuffer(),
    await picture().toColourspace("cmyk").jpeg().toBuffer(),
    await picture().png().toBuffer(),
    await picture().png({ palette: true }).toBuffer(),
  ];
  for (const file of known) assert.deepEqual(quickSize(file), { width: 52, height: 31 });
  const others = [
    await picture().webp().toBuffer(),
    await picture().gif().toBuffer(),
    await picture().tiff().toBuffer(),
  ];
  for (const file of [...others, known[0]!.subarray(0, 40), known[4]!.subarray(0, 20), new Uint8Array(0)]) {
    assert.equal(quickSize(file), undefined);
  }
});

Deno.test("quick size: as seen upright, as sharp has it", loose, async () => {
  const plain = await quarters(52, 31).jpeg().toBuffer();
  for (let orientation = 1; orientation <= 8; orientation++) {
    const files = [
      await quarters(52, 31).jpeg().withMetadata({ orientation }).toBuffer(),
      turned(plain, orientation, true),
      turned(plain, orientation, false),
    ];
    for (const file of files) {
      const { width, height } = (await sharp(file).metadata()).autoOrient;
      assert.equal(width, orientation < 5 ? 52 : 31);
      assert.deepEqual(quickSize(file), { width, height }, `${orientation}`);
    }
    const png = await quarters(52, 31).png().withMetadata({ orientation }).toBuffer();
    assert.equal(quickSize(png), undefined, "libvips looks at a PNG with EXIF");
  }
  assert.equal(quickSize(turned(plain, 9, true)), undefined);
});

/** The JPEG with EXIF that says how it is turned and nothing else, in either order of bytes. */
function turned(jpeg: Uint8Array, orientation: number, little: boolean): Uint8Array {
  const segment = new DataView(new ArrayBuffer(36));
  segment.setUint16(0, 0xffe1);
  segment.setUint16(2, 34);
  segment.setUint32(4, 0x45786966); // "Exif", and two zeros.
  segment.setUint16(10, little ? 0x4949 : 0x4d4d);
  segment.setUint16(12, 42, little);
  segment.setUint32(14, 8, little);
  segment.setUint16(18, 1, little);
  // The tag, that it is a short, that it is one, and the value.
  segment.setUint16(20, 0x0112, little);
  segment.setUint16(22, 3, little);
  segment.setUint32(24, 1, little);
  segment.setUint16(28, orientation, little);
  return Uint8Array.from([...jpeg.subarray(0, 2), ...new Uint8Array(segment.buffer), ...jpeg.subarray(2)]);
}

Deno.test("quick size: no bytes make it fail or go on for ever", loose, async () => {
  const file = turned(await quarters().jpeg().toBuffer(), 6, true);
  for (let i = 0; i < file.length; i++) {
    for (const byte of [0, 1, 0xc0, 0xff]) {
      const changed = file.slice();
      changed[i] = byte;
      quickSize(changed);
      quickSize(changed.subarray(0, i));
    }
  }
});
