import assert from "node:assert/strict";
import { annotate, classNames } from "../../../../core/data/detection/annotate.ts";
import { lint, type LintOptions } from "../../../../core/data/detection/lint.ts";
import type { NamedBox, Sample } from "../../../../core/data/detection/sample.ts";

const object = (x1: number, y1: number, x2: number, y2: number, name = "cat"): NamedBox => ({
  name,
  box: { x1, y1, x2, y2 },
  difficult: false,
  truncated: false,
});
const good: Sample = {
  name: "1",
  image: "images/1.jpg",
  annotation: "annotations/1.xml",
  sets: [],
  size: { width: 100, height: 50 },
  stated: { width: 100, height: 50 },
  objects: [object(0, 0, 50, 50), object(60, 0, 100, 40)],
};
const voc: LintOptions = { split_size: 7, unlabelled_is_empty: false };

/** Level, kind and the rest of each problem. */
function problems(sample: Partial<Sample>, options: Partial<LintOptions> = {}): string[] {
  const report = lint([{ ...good, ...sample }], { ...voc, ...options });
  return report.problems.map(({ level, kind, where, what }) => `${level} ${kind} ${where}: ${what}`);
}

Deno.test("nothing is wrong with a good sample", () => {
  assert.deepEqual(problems({}), []);
  assert.deepEqual(problems({ stated: undefined, objects: [] }), []);
});

Deno.test("each problem is named", () => {
  const xml = "annotations/1.xml";
  const cases: [Partial<Sample>, string][] = [
    [{ image: undefined, size: undefined }, `error no-image ${xml}: there is no image of the name 1`],
    [{ annotation: undefined, objects: [] }, "error no-annotation images/1.jpg: is passed over"],
    [{ damage: "premature end" }, "error bad-image images/1.jpg: premature end"],
    [{ fault: "line 2: broken", objects: [] }, `error bad-annotation ${xml}: line 2: broken`],
    [{ stated: { width: 50, height: 100 } }, `error other-size ${xml}: says 50×100, the image is 100×50`],
    [{ sets: ["train", "val"] }, `warning two-sets ${xml}: is on train and on val`],
    [{ objects: [object(20, 0, 20, 9)] }, `error no-area ${xml} object 1: cat (20, 0, 20, 9)`],
    [{ objects: [object(20, 9, 30, 0)] }, `error no-area ${xml} object 1: cat (20, 9, 30, 0)`],
    [{ objects: [object(20, 0, 21, 9)] }, `warning tiny ${xml} object 1: cat (20, 0, 21, 9)`],
    [
      { objects: [object(90, 0, 101, 9)] },
      `warning outside ${xml} object 1: cat (90, 0, 101, 9), the image is 100×50`,
    ],
    [
      { objects: [object(100, 0, 120, 9)] },
      `error outside ${xml} object 1: cat (100, 0, 120, 9), the image is 100×50`,
    ],
    [
      { objects: [object(-1, 0, 20, 9)] },
      `warning outside ${xml} object 1: cat (-1, 0, 20, 9), the image is 100×50`,
    ],
    [{ objects: [...good.objects, good.objects[0]!] }, `warning twice ${xml} object 3: is object 1 again`],
  ];
  for (const [sample, expected] of cases) assert.deepEqual(problems(sample), [expected]);
});

Deno.test("rounding is no reach outside, and an image without YOLO labels has no objects", () => {
  assert.deepEqual(problems({ objects: [object(-0.4, 0, 100.3, 50.4)] }), []);
  assert.deepEqual(problems({ annotation: undefined, objects: [] }, { unlabelled_is_empty: true }), [
    "warning no-annotation images/1.jpg: counts as an image without objects",
  ]);
});

Deno.test("classes: unknown ones where there is a list, else those that look like a slip of the pen", () => {
  const objects = [object(0, 0, 9, 9, "dgo")];
  assert.deepEqual(problems({ objects }, { classes: ["cat", "dog"] }), [
    "error unknown-class annotations/1.xml object 1: dgo",
  ]);
  assert.deepEqual(problems({ objects }), []);
  const many = Array.from(
    { length: 40 },
    (_, i) => ({ ...good, name: `${i}`, objects: [object(0, 0, 9, 9, "raccoon")] }),
  );
  const slip = { ...good, objects: [object(0, 0, 9, 9, "Raccoon"), object(20, 0, 29, 9, "racoon")] };
  const { problems: found } = lint([...many, slip], voc);
  assert.deepEqual(found.map(({ kind, where, what }) => `${kind} ${where}: ${what}`), [
    "odd-class Raccoon: 1 objects; raccoon has 40",
    "odd-class racoon: 1 objects; raccoon has 40",
  ]);
});

Deno.test("what there is, and how many objects a grid cannot hold", () => {
  const crowded = { ...good, sets: ["val"], objects: [0, 1, 2, 50].map((x) => object(x, 0, x + 10, 9)) };
  const report = lint([{ ...good, sets: ["train"] }, crowded], { ...voc, split_size: 7 });
  assert.deepEqual(report.crowded, { split_size: 7, objects: 2, images: 1 });
  assert.deepEqual([report.images, report.objects, report.sets], [2, 6, { train: 1, val: 1 }]);
  assert.deepEqual(report.classes, [{ name: "cat", objects: 6, images: 2 }]);
  assert.equal(lint([crowded], { ...voc, split_size: 100 }).crowded.objects, 0);
});

Deno.test("samples become images to train on: boxes cut at the edges, what cannot be used is named", () => {
  const objects = [object(-5, 0, 20, 20), object(120, 0, 130, 9)];
  const image = annotate({ ...good, objects }, ["dog", "cat"]);
  assert.deepEqual(image.objects, [
    { box: { x1: 0, y1: 0, x2: 20, y2: 20 }, label: 1, difficult: false, truncated: false },
  ]);
  assert.deepEqual([image.width, image.height, image.path], [100, 50, "images/1.jpg"]);
  assert.throws(
    () => annotate(good, ["dog"]),
    /annotations\/1\.xml: there is no class cat, only [^;]*; deno task lint-data/,
  );
  assert.throws(() => annotate({ ...good, image: undefined }, ["cat"]), /there is no image/);
  assert.throws(
    () => annotate({ ...good, size: undefined, damage: "short" }, ["cat"]),
    /cannot be read: short/,
  );
});

Deno.test("numbers for names keep their places", () => {
  const numbered = { ...good, objects: [object(0, 0, 9, 9, "2"), object(0, 0, 9, 9, "10")] };
  assert.deepEqual(classNames([numbered], undefined), [..."0123456789", "10"]);
  assert.deepEqual(classNames([good], undefined), ["cat"]);
  assert.deepEqual(classNames([good], ["dog", "cat"]), ["dog", "cat"]);
});
