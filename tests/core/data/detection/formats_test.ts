import assert from "node:assert/strict";
import fc from "fast-check";
import { parseImageSet } from "../../../../core/data/detection/image_set.ts";
import { parseVoc } from "../../../../core/data/detection/voc.ts";
import {
  isPairs,
  parseClassList,
  parsePairs,
  parseYoloLabels,
  yoloLine,
} from "../../../../core/data/detection/yolo_labels.ts";
import { scaleBox } from "../../../../core/detect/box.ts";
import { UserError } from "../../../../core/errors.ts";

/** As VOC 2007 has it: parts of an object have boxes of their own. */
const VOC = `<annotation>
  <folder>VOC2007</folder>
  <filename>000005.jpg</filename>
  <source><database>The VOC2007 Database</database><image>flickr</image></source>
  <size><width>500</width><height>375</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object>
    <name>person</name><pose>Rear</pose><truncated>1</truncated><difficult>0</difficult>
    <bndbox><xmin>263</xmin><ymin>211</ymin><xmax>324</xmax><ymax>339</ymax></bndbox>
    <part><name>head</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></part>
  </object>
  <object>
    <name>potted &amp; plant</name><difficult>1</difficult>
    <bndbox><ymax>375</ymax><xmax>500</xmax><ymin>1</ymin><xmin>1.5</xmin></bndbox>
  </object>
</annotation>`;

Deno.test("a VOC annotation: edges from 0, parts passed over, any order", () => {
  assert.deepEqual(parseVoc(VOC, "a.xml"), {
    filename: "000005.jpg",
    size: { width: 500, height: 375 },
    objects: [
      { name: "person", box: { x1: 262, y1: 210, x2: 324, y2: 339 }, difficult: false, truncated: true },
      {
        name: "potted & plant",
        box: { x1: 0.5, y1: 0, x2: 500, y2: 375 },
        difficult: true,
        truncated: false,
      },
    ],
  });
});

Deno.test("a VOC annotation may have no objects, and no size", () => {
  const empty = parseVoc(
    "<annotation><filename>a.jpg</filename><size><width>0</width></size></annotation>",
    "a.xml",
  );
  assert.deepEqual(empty, { filename: "a.jpg", size: undefined, objects: [] });
});

Deno.test("what is no VOC annotation is named with its file", () => {
  const wrong: [string, RegExp][] = [
    ["", /^a\.xml: not a PASCAL VOC annotation: line 1: /],
    ["PNG", /not a PASCAL VOC annotation: line 1/],
    [VOC.slice(0, 700), /not a PASCAL VOC annotation: line \d+: /],
    [`${"<a>".repeat(2000)}${"</a>".repeat(2000)}`, /not a PASCAL VOC annotation: Maximum nested tags/],
    ["<a\x1b></a\x1b>", /^a\.xml: not a PASCAL VOC annotation: [^\p{Cc}]*$/u],
    ["<html></html>", /there is no <annotation>/],
    ["<annotation>text</annotation>", /there is no <annotation>/],
    [VOC.replace("<name>person</name>", ""), /object 1 has no <name>/],
    [VOC.replace("<xmin>1.5</xmin>", ""), /object 2 has no <xmin>/],
    [VOC.replace("1.5", "left"), /object 2 has "left" for <xmin>, expected a number/],
    ["<annotation><object><name>a</name></object></annotation>", /object 1 has no <bndbox>/],
    ["<annotation><object>1</object></annotation>", /object 1 is empty/],
  ];
  for (const [xml, message] of wrong) {
    assert.throws(() => parseVoc(xml, "a.xml"), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      assert.ok(!error.message.includes("\n"));
      return true;
    });
  }
});

Deno.test("a VOC file that is cut or changed anywhere gives an annotation or a UserError", () => {
  const mutation = fc.tuple(fc.nat({ max: VOC.length }), fc.nat({ max: 40 }), fc.string({ maxLength: 6 }));
  fc.assert(
    fc.property(mutation, ([at, length, put]) => {
      try {
        parseVoc(VOC.slice(0, at) + put + VOC.slice(at + length), "a.xml");
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("lists of images: names, or VOC's names with a flag", () => {
  assert.deepEqual(parseImageSet("000012\r\n000017\n\n", "train.txt"), ["000012", "000017"]);
  assert.deepEqual(parseImageSet("000012 -1\n000017  1\n000023  0\n", "dog.txt"), ["000017", "000023"]);
  assert.throws(
    () => parseImageSet("a\nsome words here\n", "train.txt"),
    /train\.txt line 2: "some words here"/,
  );
});

Deno.test("YOLO's labels: by middle and size, and back to the same line", () => {
  const [car] = parseYoloLabels("6 0.641 0.57 0.5 0.25\n", "a.txt");
  assert.equal(car!.label, 6);
  const [box, edges] = [car!.box, [0.391, 0.445, 0.891, 0.695]];
  Object.values(box).forEach((edge, i) => assert.ok(Math.abs(edge - edges[i]!) < 1e-12));
  assert.deepEqual(parseYoloLabels("\n", "a.txt"), []);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.nat({ max: 90 }), fc.array(share, { minLength: 4, maxLength: 4 }), (label, numbers) => {
      const size = { width: 640, height: 333 };
      const line = [label, ...numbers.map((x) => Number(x.toFixed(6)))].join(" ");
      const [object] = parseYoloLabels(line, "a.txt");
      assert.equal(yoloLine(label, scaleBox(object!.box, size.width, size.height), size), line);
    }),
  );
  assert.equal(
    yoloLine(3, { x1: 0, y1: 0, x2: 5, y2: 10 }, { width: 10, height: 10 }, 0.87654321),
    "3 0.25 0.5 0.5 1 0.876543",
  );
  const whole = { label: 3, box: { x1: 0, y1: 0, x2: 1, y2: 1 } };
  assert.deepEqual(parseYoloLabels("3 0.5 0.5 1 1 0.876543", "a.txt"), [whole]);
});

Deno.test("a line that is no YOLO label is named", () => {
  for (
    const line of [
      "1 2 3 4",
      "1 0.5 0.5 0.1 0.1 9",
      "1 0 0 1 1 0.5 1",
      "cat 0.5 0.5 0.1 0.1",
      "1 0.5 nan 0.1 0.1",
    ]
  ) {
    assert.throws(
      () => parseYoloLabels(`0 0 0 1 1\n${line}`, "a.txt"),
      /a\.txt line 2: ".*", expected five numbers/,
    );
  }
  assert.throws(() => parseYoloLabels("1.5 0 0 1 1", "a.txt"), /a\.txt line 1: class 1\.5/);
});

Deno.test("pairs and lists of classes", () => {
  const csv = 'img,label\r\n000007.jpg,000007.txt\n"a b.jpg", "a b.txt"\n\n';
  assert.ok(isPairs(csv) && isPairs("1.jpg,1.txt"));
  assert.ok(!isPairs("filename,width,height,class\n1.jpg,5,5,cat") && !isPairs(""));
  assert.deepEqual(parsePairs(csv, "8.csv"), [
    { image: "000007.jpg", label: "000007.txt" },
    { image: "a b.jpg", label: "a b.txt" },
  ]);
  assert.throws(
    () => parsePairs("1.jpg,1.txt\n2.jpg", "p.csv"),
    /p\.csv line 2: "2\.jpg", expected an image and/,
  );
  assert.deepEqual(parseClassList("cat\r\n big dog \n\n"), ["cat", "big dog"]);
});
