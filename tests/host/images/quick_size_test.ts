import assert from "node:assert/strict";
import { quickSize } from "../../../host/images/quick_size.ts";
import { quarters } from "../../support/pictures.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

Deno.test("quick size: of JPEG and PNG, whatever stands before it; of nothing else", loose, async () => {
  const picture = () => quarters(52, 31);
  const known = [
    await picture().jpeg().toBuffer(),
    await picture().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
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

Deno.test("quick size: no bytes make it fail or go on for ever", loose, async () => {
  const file = new Uint8Array(await quarters().jpeg().toBuffer());
  for (let i = 0; i < file.length; i++) {
    for (const byte of [0, 1, 0xc0, 0xff]) {
      const changed = file.slice();
      changed[i] = byte;
      quickSize(changed);
      quickSize(changed.subarray(0, i));
    }
  }
});
