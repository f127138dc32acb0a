import assert from "node:assert/strict";
import sharp, { type Sharp } from "sharp";
import { resize } from "../../../core/data/transforms/resample.ts";
import { withChannels } from "../../../core/data/transforms/image.ts";
import { integer, stream } from "../../../core/random.ts";
import { decode, readHeader } from "../../../host/images/decode.ts";
import { imageKinds } from "../../support/image_kinds.ts";
import { CORNERS, quarters } from "../../support/pictures.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };
const plain = { maxPixels: 1e6, reduction: () => 1 };

/** The pixels near the four corners of a decoded file, and its size. */
async function corners(file: Uint8Array, channels = 3) {
  const image = withChannels(await decode(file, plain), channels);
  const { width, height, data } = image;
  const at = (
    x: number,
    y: number,
  ) => [...data.subarray((y * width + x) * image.channels, (y * width + x + 1) * image.channels)];
  return {
    size: [width, height, image.channels],
    pixels: [at(2, 2), at(width - 3, 2), at(2, height - 3), at(width - 3, height - 3)],
  };
}

const COLOURS = [CORNERS.topLeft, CORNERS.topRight, CORNERS.bottomLeft, CORNERS.bottomRight];

function near(found: number[][], wanted: readonly (readonly number[])[], tolerance: number) {
  found.forEach((pixel, i) =>
    pixel.forEach((value, c) =>
      assert.ok(Math.abs(value - wanted[i]![c]!) <= tolerance, `corner ${i}: ${pixel}, wanted ${wanted[i]}`)
    )
  );
}

Deno.test(
  "decode: JPEG, progressive JPEG, PNG, palette, WebP, TIFF, GIF and AVIF are the same picture",
  loose,
  async () => {
    const kinds: Record<string, [file: Uint8Array, tolerance: number]> = {
      jpeg: [await quarters().jpeg({ quality: 95 }).toBuffer(), 6],
      progressive: [await quarters().jpeg({ quality: 95, progressive: true }).toBuffer(), 6],
      png: [await quarters().png().toBuffer(), 0],
      palette: [await quarters().png({ palette: true }).toBuffer(), 2],
      webp: [await quarters().webp({ lossless: true }).toBuffer(), 0],
      tiff: [await quarters().tiff({ compression: "lzw" }).toBuffer(), 0],
      gif: [await quarters().gif().toBuffer(), 4],
      avif: [await quarters().avif({ quality: 90 }).toBuffer(), 8],
    };
    for (const [kind, [file, tolerance]] of Object.entries(kinds)) {
      const { size, pixels } = await corners(file);
      assert.deepEqual(size, [40, 24, 3], kind);
      near(pixels, COLOURS, tolerance);
    }
  },
);

Deno.test(
  "decode: grey images have three equal channels, or one where the network takes one",
  loose,
  async () => {
    const grey = await quarters().greyscale().toColourspace("b-w").png().toBuffer();
    const { pixels } = await corners(grey);
    for (const [red, green, blue] of pixels) assert.ok(red === green && red === blue);
    assert.ok(new Set(pixels.map(String)).size === 4);
    const one = await corners(grey, 1);
    assert.deepEqual(one.size, [40, 24, 1]);
    assert.deepEqual(one.pixels.map(([value]) => value), pixels.map(([value]) => value));
    assert.deepEqual((await corners(await quarters().png().toBuffer(), 1)).size, [40, 24, 1]);
  },
);

Deno.test("decode: of 16 bits the higher 8 count, in colour and in grey", loose, async () => {
  const deep = await quarters().toColourspace("rgb16").png().toBuffer();
  assert.equal((await sharp(deep).metadata()).depth, "ushort");
  near((await corners(deep)).pixels, COLOURS, 1);
  const grey = await quarters().toColourspace("grey16").png().toBuffer();
  assert.equal((await sharp(grey).metadata()).depth, "ushort");
  const eight = await corners(await quarters().toColourspace("b-w").png().toBuffer());
  near((await corners(grey)).pixels, eight.pixels, 2);
});

Deno.test("decode: transparent pixels are put on white", loose, async () => {
  const data = Uint8Array.from({ length: 8 * 8 * 4 }, (_, i) => [200, 100, 0, i < 128 ? 0 : 128][i % 4]!);
  const raw = { raw: { width: 8, height: 8, channels: 4 } } as const;
  for (
    const file of [
      await sharp(data, raw).png().toBuffer(),
      await sharp(data, raw).webp({ lossless: true }).toBuffer(),
    ]
  ) {
    const { pixels } = await corners(file);
    near(pixels, [[255, 255, 255], [255, 255, 255], [227, 177, 127], [227, 177, 127]], 1);
  }
});

Deno.test("decode: of an animation the first frame", loose, async () => {
  const frames = [await quarters().png().toBuffer(), await quarters().negate().png().toBuffer()];
  for (const kind of ["gif", "webp"] as const) {
    const animation = await sharp(frames, { join: { animated: true } })[kind]().toBuffer();
    assert.equal((await sharp(animation).metadata()).pages, 2);
    const { size, pixels } = await corners(animation);
    assert.deepEqual(size, [40, 24, 3]);
    near(pixels, COLOURS, 20);
  }
});

Deno.test("decode: EXIF's orientation is applied, all eight", loose, async () => {
  for (let orientation = 1; orientation <= 8; orientation++) {
    // The file is stored so that turning it as it says gives the picture; sharp mirrors before it turns.
    const back: Record<number, (image: Sharp) => Sharp> = {
      1: (image) => image,
      2: (image) => image.flop(),
      3: (image) => image.rotate(180),
      4: (image) => image.flip(),
      5: (image) => image.flop().rotate(270),
      6: (image) => image.rotate(270),
      7: (image) => image.flop().rotate(90),
      8: (image) => image.rotate(90),
    };
    const stored = await sharp(await back[orientation]!(quarters()).png().toBuffer()).withMetadata({
      orientation,
    }).jpeg({ quality: 95 }).toBuffer();
    assert.equal((await sharp(stored).metadata()).orientation, orientation);
    const { size, pixels } = await corners(stored);
    assert.deepEqual(size, [40, 24, 3], `${orientation}`);
    near(pixels, COLOURS, 8);
    assert.deepEqual(await readHeader(stored), { width: 40, height: 24, format: "jpeg", isPrint: false });
  }
});

Deno.test(
  "decode: files that are cut short, empty, of another kind, or of no kind are refused",
  loose,
  async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251);
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).jpeg().toBuffer();
    const png = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).png().toBuffer();
    for (const file of [jpeg.subarray(0, jpeg.length / 2), png.subarray(0, png.length / 2)]) {
      assert.equal((await readHeader(file)).width, 64, "the header is whole");
      await assert.rejects(decode(file, plain));
    }
    const text = new TextEncoder();
    await assert.rejects(decode(new Uint8Array(), plain));
    await assert.rejects(decode(text.encode("no picture at all"), plain));
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`;
    await assert.rejects(decode(text.encode(svg), plain), /svg is no format of photographs/);
  },
);

Deno.test("decode: an image of too many pixels is refused by its header", loose, async () => {
  const bomb = await sharp({ create: { width: 4000, height: 4000, channels: 3, background: "#000" } })
    .png().toBuffer();
  assert.ok(bomb.length < 2e5);
  await assert.rejects(
    decode(bomb, { ...plain, maxPixels: 1e7 }),
    /^Error: 4000×4000 is more than 10 million pixels; see --max-megapixels$/,
  );
  // --max-megapixels 4.1 is no whole number of pixels, to float64, and 1e12 more than libvips takes.
  const small = await quarters(64, 48).png().toBuffer();
  for (const megapixels of [4.1, 1e12]) {
    assert.equal((await decode(small, { ...plain, maxPixels: megapixels * 1e6 })).width, 64);
  }
});

Deno.test("decode: decoded smaller, a JPEG is nearly what it would have been", loose, async () => {
  const [width, height] = [640, 480];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    return 128 + 60 * Math.sin(x / (9 + i % 3)) + 60 * Math.cos(y / 13 + x / 50);
  });
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } }).jpeg({ quality: 95 }).toBuffer();
  const whole = resize(await decode(jpeg, plain), [60, 80]);
  const half = await decode(jpeg, { ...plain, reduction: () => 4 });
  assert.deepEqual([half.width, half.height], [160, 120]);
  const small = resize(half, [60, 80]);
  const mean = whole.data.reduce((sum, byte, i) => sum + Math.abs(byte - small.data[i]!), 0) /
    whole.data.length;
  assert.ok(mean < 1.5, `${mean} grey levels on average`);
});

Deno.test("decode: mutated files are an image or an error, never more", loose, async () => {
  const source = await quarters(64, 48).jpeg().toBuffer();
  const kinds = [
    source,
    await sharp(source).jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
    await sharp(source).png().toBuffer(),
    await sharp(source).webp().toBuffer(),
    await sharp(source).tiff({ compression: "deflate" }).toBuffer(),
    await sharp(source).gif().toBuffer(),
    ...(await imageKinds()).filter(({ name }) => /^(bmp|p[bgp]m)/.test(name)).map(({ file }) => file),
  ];
  const random = stream(1, "crop", 0, 0);
  let decoded = 0, refused = 0;
  for (const [kind, file] of kinds.entries()) {
    for (let i = 0; i < 60; i++) {
      const bytes = new Uint8Array(file);
      for (let change = 0; change <= i % 4; change++) {
        bytes[integer(random.word(), bytes.length)] = random.word() >>> 24;
      }
      const end = i % 3 === 0 ? integer(random.word(), bytes.length) : bytes.length;
      try {
        const { width, height, channels, data } = await decode(bytes.subarray(0, end), plain);
        assert.deepEqual([channels, data.length], [3, width * height * 3], `kind ${kind}`);
        decoded++;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        refused++;
      }
    }
  }
  assert.ok(decoded > 20 && refused > 100, `${decoded} decoded, ${refused} refused`);
});
