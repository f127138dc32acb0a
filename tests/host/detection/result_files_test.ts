import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { evaluateDetections } from "../../../core/metrics/detection_evaluation.ts";
import { readAnnotated } from "../../../host/detection/annotated.ts";
import { caseSheet } from "../../../host/detection/case_sheet.ts";
import { writeDetectionResults } from "../../../host/detection/result_files.ts";
import { boxPictures, writeVoc } from "../../support/boxes.ts";
import { namesIn, withFolder } from "../../support/temp_folder.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a detector's results: tables, curves, photographs with what is wrong, COCO's files",
  loose,
  () =>
    withFolder(async (folder) => {
      await writeVoc(folder, boxPictures(3));
      const { images, classes } = await readAnnotated(folder);
      assert.deepEqual(classes, ["green", "red"]);
      // The first is found, the second taken for another class, the third missed.
      const judged = images.map(({ objects }, i) => ({
        objects,
        detections: objects.slice(0, 2 - i).map(({ box, label }) => ({
          box,
          label: i === 1 ? 1 - label : label,
          score: 0.9,
        })),
      }));
      const evaluation = evaluateDetections(judged, classes);
      const output = join(folder, "results");
      await Deno.mkdir(output);
      const names = await writeDetectionResults(output, "net on boxes", { images, classes, evaluation });
      assert.deepEqual(names.toSorted(), namesIn(output));
      assert.deepEqual(namesIn(output), [
        "classes.csv",
        "coco_annotations.json",
        "coco_results.json",
        "examples.png",
        "iou.svg",
        "mistakes.png",
        "precision_recall.svg",
      ]);
      assert.equal(
        await Deno.readTextFile(join(output, "classes.csv")),
        "class,objects,difficult,detections,ap,ap11,precision,recall,score\n" +
          "green,1,0,0,0.000000,0.000000,,,\n" +
          "red,2,0,2,0.500000,0.545455,1.000000,0.500000,0.900000\n",
      );
      const coco = async (name: string) => JSON.parse(await Deno.readTextFile(join(output, name)));
      assert.deepEqual(
        (await coco("coco_results.json")).map(({ image_id }: { image_id: number }) => image_id),
        [1, 2],
      );
      assert.equal((await coco("coco_annotations.json")).annotations.length, 3);
      // Two of three have a mistake; each is shown as large as it is.
      const size = async (name: string) => (await sharp(join(output, name)).metadata()).width;
      assert.deepEqual([await size("mistakes.png"), await size("examples.png")], [
        32 + 2 * 354 - 14,
        32 + 3 * 354 - 14,
      ]);
      // A later evaluation finds them all: the earlier mistakes are no longer shown.
      const right = judged.map(({ objects }) => ({
        objects,
        detections: objects.map(({ box, label }) => ({ box, label, score: 0.9 })),
      }));
      const later = await writeDetectionResults(output, "net on boxes", {
        images,
        classes,
        evaluation: evaluateDetections(right, classes),
      });
      assert.ok(!later.includes("mistakes.png"));
      assert.deepEqual(later.toSorted(), namesIn(output));
    }),
);

Deno.test(
  "on a photograph of the picture: what is there, what is right and what is wrong have their colours",
  loose,
  () =>
    withFolder(async (folder) => {
      await writeVoc(folder, boxPictures(1));
      const { images, classes } = await readAnnotated(folder);
      const detection = (x: number) => ({ box: { x1: x, y1: 22, x2: x + 12, y2: 34 }, label: 0, score: 0.5 });
      const { png } = await caseSheet("net", images, classes, [
        { image: 0, right: [detection(24)], wrong: [detection(42)], ignored: [], missed: [] },
      ]);
      const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      const colours = new Set<string>();
      for (let at = 0; at < data.length; at += info.channels) {
        colours.add(
          [...data.subarray(at, at + 3)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
        );
      }
      for (const colour of ["35d07f", "2f7bf6", "e8352b"]) assert.ok(colours.has(colour), colour);
    }),
);
