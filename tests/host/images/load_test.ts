import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { centreOf, resizeShorter, take } from "../../../core/data/transforms/crop.ts";
import type { Transform } from "../../../core/data/transforms/mod.ts";
import { resize } from "../../../core/data/transforms/resample.ts";
import { UserError } from "../../../core/errors.ts";
import { evaluationOf } from "../../../core/predict/preparation.ts";
import { decode } from "../../../host/images/decode.ts";
import { prepareImages } from "../../../host/images/load.ts";
import { createImagePool } from "../../../host/images/pool.ts";
import { photograph, put } from "../../support/pictures.ts";
import { withFolder } from "../../support/temp_folder.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "load: files as an evaluation sees them, in their order, and what is wrong with the others",
  loose,
  () =>
    withFolder(async (folder) => {
      const file = await photograph(200, 90, 30, 50, 35);
      const good = await put(join(folder, "good.jpg"), file);
      const bad = await put(join(folder, "bad.jpg"), file.subarray(0, 300));
      const image = await decode(file, { maxPixels: 1e6, reduction: () => 1 });
      const input = [3, 28, 28] as const;
      const pool = createImagePool(1);
      try {
        const transforms = evaluationOf(input);
        const made = await prepareImages([bad, good, good], pool, { input, transforms, maxPixels: 1e6 });
        assert.deepEqual(made.map(({ path }) => path), [bad, good, good]);
        assert.ok("damaged" in made[0]!);
        const resized = resizeShorter(image, 32);
        const wanted = take(resized, centreOf(resized, [28, 28]));
        for (const one of made.slice(1)) assert.deepEqual("image" in one && one.image, wanted);
        const whole = { input, transforms: evaluationOf(input, "whole"), maxPixels: 1e6 };
        const [squeezed] = await prepareImages([good], pool, whole);
        assert.deepEqual("image" in squeezed! && squeezed.image, resize(image, [28, 28]));
        const gone = join(folder, "gone.jpg");
        const lost = await prepareImages([gone], pool, whole);
        assert.deepEqual(lost, [{ path: gone, damaged: "No such file or directory" }]);
        await assert.rejects(
          prepareImages([good], pool, { ...whole, maxPixels: 99 }).then(([one]) => {
            throw new Error("damaged" in one! ? one.damaged : "not refused");
          }),
          /50×35 is more than/,
        );
      } finally {
        pool.close();
      }
      await assert.rejects(pool.inspect({ path: good, maxPixels: 1 }), /is closed/);
    }),
);

Deno.test(
  "load: a strip is an image like any other, or damaged, and what transforms do wrong is told as it is",
  loose,
  () =>
    withFolder(async (folder) => {
      const raw = { width: 1, height: 900_000, channels: 3 } as const;
      const png = await sharp(new Uint8Array(3 * 900_000).fill(80), { raw }).png().toBuffer();
      const strip = await put(join(folder, "strip.png"), png);
      const pool = createImagePool(1);
      try {
        const options = { input: [3, 224, 224], maxPixels: 1e6 } as const;
        const seen = { ...options, transforms: evaluationOf([3, 224, 224]) };
        const [one] = await prepareImages([strip], pool, seen);
        assert.deepEqual("image" in one! && new Set(one.image.data), new Set([80]));
        const squeezed = { ...options, transforms: evaluationOf([3, 224, 224], "whole") };
        const [other] = await prepareImages([strip], pool, squeezed);
        assert.deepEqual(other, { path: strip, damaged: "1×900000 pixels cannot be resized to 224×224" });
        const wrong = [{ name: "Unheard" } as unknown as Transform];
        await assert.rejects(
          prepareImages([strip], pool, { ...options, transforms: wrong }),
          (error: Error) => {
            assert.ok(!(error instanceof UserError));
            assert.match(error.message, /strip\.png: TypeError/);
            return true;
          },
        );
      } finally {
        pool.close();
      }
    }),
);
