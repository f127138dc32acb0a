import assert from "node:assert/strict";
import { join } from "node:path";
import { plainImage } from "../support/image_files.ts";
import { withFolder } from "../support/temp_folder.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs the task's command with the task's own permissions. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const [, ...command] = (tasks["lint-data"] as string).split(" ");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", ...command.slice(1), ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const object = (name: string, [x1, y1, x2, y2]: readonly number[]) =>
  `<object><name>${name}</name><bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox></object>`;
const annotation = (width: number, ...objects: string[]) =>
  `<annotation><size><width>${width}</width><height>64</height></size>${objects.join("")}</annotation>`;

Deno.test("lint-data names what is wrong, in text and in JSON", async () => {
  await withFolder(async (folder) => {
    for (const part of ["Annotations", "JPEGImages"]) await Deno.mkdir(join(folder, part));
    const image = await plainImage({ width: 96, height: 64 });
    const files: Record<string, string | undefined> = {
      fine: annotation(
        96,
        object("cat", [1, 1, 30, 30]),
        object("cat", [2, 2, 31, 31]),
        object("dog", [60, 1, 96, 64]),
      ),
      alone: annotation(96, object("cat", [1, 1, 30, 30])),
      unlabelled: undefined,
      cut: annotation(96),
      resized: annotation(48, object("cat", [1, 1, 30, 30])),
      wild: annotation(
        96,
        object("cat", [50, 1, 120, 30]),
        object("cat", [40, 9, 20, 30]),
        object("bird", [1, 1, 9, 9]),
      ),
      broken: "<annotation><object>",
    };
    for (const [name, xml] of Object.entries(files)) {
      if (xml !== undefined) await Deno.writeTextFile(join(folder, `Annotations/${name}.xml`), xml);
      if (name === "alone") continue;
      await Deno.writeFile(
        join(folder, `JPEGImages/${name}.jpg`),
        name === "cut" ? image.subarray(0, image.length - 300) : image,
      );
    }

    const json = await run("--data", folder, "--classes", "cat,dog", "--json");
    assert.equal(json.code, 1, json.err);
    const report = JSON.parse(json.out);
    assert.deepEqual(
      report.problems.map(({ kind, where }: { kind: string; where: string }) => [
        kind,
        where.slice(folder.length + 1),
      ]),
      [
        ["no-image", "Annotations/alone.xml"],
        ["no-annotation", "JPEGImages/unlabelled.jpg"],
        ["bad-image", "JPEGImages/cut.jpg"],
        ["bad-annotation", "Annotations/broken.xml"],
        ["other-size", "Annotations/resized.xml"],
        ["outside", "Annotations/wild.xml object 1"],
        ["no-area", "Annotations/wild.xml object 2"],
        ["unknown-class", "Annotations/wild.xml object 3"],
      ],
    );
    assert.deepEqual([report.format, report.images, report.errors], ["voc", 6, 7]);
    assert.deepEqual(report.crowded, { split_size: 7, objects: 1, images: 1 });

    const text = await run("--data", folder, "--split-size", "1");
    assert.equal(text.code, 1);
    assert.match(text.out, /^6 images, 8 objects \(0 difficult, 0 truncated\), PASCAL VOC annotations\n/);
    assert.match(text.out, /1 annotations that cannot be read\n {2}error {2}.*broken\.xml: not a PASCAL VOC/);
    assert.match(text.out, /share a cell of 1×1 with another one and will be dropped/);
    assert.match(text.out, /\n6 errors, 1 warning\n$/);
  });
});

Deno.test("lint-data: mistakes take one line and exit with 2", async () => {
  for (
    const [args, message] of [
      [[], /--data is missing/],
      [["--data", "/no/such/folder"], /there is no such folder/],
      [["--data", "assembly"], /there are no annotations/],
      [["--dat", "assembly"], /did you mean --data\?/],
    ] as const
  ) {
    const { code, err } = await run(...args);
    assert.equal(code, 2);
    assert.match(err, message);
    assert.equal(err.split("\n").length, 2);
  }
});
