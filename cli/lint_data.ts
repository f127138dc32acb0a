/** `deno task lint-data`: what is wrong with a detector's data set. (`deno lint`, which checks code, is Deno's own.) */
import { lint, type LintReport, type Problem, problemKinds } from "../core/data/detection/lint.ts";
import { parseClassList } from "../core/data/detection/yolo_labels.ts";
import { UserError } from "../core/errors.ts";
import { alignColumns, commas, counted } from "../core/summary/format.ts";
import { findAnnotations } from "../host/detection/find.ts";
import { readBytes, statIfThere } from "../host/files.ts";
import { describeFlags, parseFlags, switchFlag, text, whole } from "./arguments.ts";
import { main } from "./main.ts";
import { whileReading } from "./progress.ts";

export const lintDataFlags = {
  data: text(
    "PATH",
    "a folder, whose PASCAL VOC or YOLO files are found, or Darknet's .data or list of images",
  ),
  classes: text(
    "LIST",
    "all the classes there are, as in cat,dog, or a file with one a line; default what is found",
  ),
  "split-size": whole("cells in a row of the detector: S; default 7, YOLOv1's for 448 pixels", {
    min: 1,
    max: 1000,
  }),
  all: switchFlag("every problem, not only the first of each kind"),
  json: switchFlag("everything, for programs"),
  help: switchFlag("shows this"),
};

const HELP = `Looks at a data set for detectors before it is trained on, and names each problem.

  deno task lint-data --data VOCdevkit/VOC2007
  deno task lint-data --data raccoons --classes raccoon --split-size 14 --all
  deno task lint-data --data data/obj.data

Ends with 0 where there are no errors (warnings are worth a look), with 1 where there are some.

`;

/** Runs the command; returns its exit code. */
export async function lintData(args: readonly string[]): Promise<number> {
  const given = parseFlags(lintDataFlags, args);
  if (given.help) {
    console.log(HELP + describeFlags(lintDataFlags).join("\n"));
    return 0;
  }
  if (given.data === undefined) {
    throw new UserError("--data is missing: it names the folder with the data set");
  }
  const found = await findAnnotations(given.data);
  const classes = given.classes === undefined ? found.classes : await classesFrom(given.classes);
  // Only now: it takes a moment to load what decodes images.
  const { readSamples } = await import("../host/detection/read.ts");
  const samples = await whileReading(({ onRead }) =>
    readSamples(found, { thorough: true, classes: classes ?? [], onRead })
  );
  const report = lint(samples, {
    classes,
    split_size: given["split-size"] ?? 7,
    unlabelled_is_empty: found.format === "yolo",
  });
  const errors = report.problems.filter(({ level }) => level === "error").length;
  if (given.json) console.log(JSON.stringify({ format: found.format, errors, ...report }, null, 2));
  else console.log(reportText(report, found.format, given.all ?? false).join("\n"));
  return errors > 0 ? 1 : 0;
}

/** Names separated by commas, or a file of them. */
async function classesFrom(given: string): Promise<string[]> {
  const isFile = (await statIfThere(given))?.isFile ?? false;
  if (isFile) return parseClassList(new TextDecoder().decode(await readBytes(given)));
  return given.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

/** Problems shown of one kind. */
const SHOWN = 5;

function reportText(report: LintReport, format: "voc" | "yolo", all: boolean): string[] {
  const { images, objects, difficult, truncated, classes, sets, crowded, problems } = report;
  const kind = format === "voc" ? "PASCAL VOC annotations" : "YOLO labels";
  const lists = Object.entries(sets).map(([name, count]) => `${name} ${commas(count)}`);
  return [
    `${commas(images)} images, ${commas(objects)} objects (${commas(difficult)} difficult, ${
      commas(truncated)
    } truncated), ${kind}`,
    ...lists.length > 0 ? [`Lists: ${lists.join(", ")}`] : [],
    "",
    ...alignColumns(
      [["Class", "Objects", "Images"], ...classes.map((c) => [c.name, commas(c.objects), commas(c.images)])],
      new Set([1, 2]),
    ),
    "",
    ...Object.entries(Object.groupBy(problems, ({ kind }) => kind)).flatMap(([kind, some]) =>
      problemText(kind as keyof typeof problemKinds, some ?? [], all)
    ),
    ...crowdedText(crowded, objects),
    closing(problems),
  ];
}

function problemText(kind: keyof typeof problemKinds, problems: readonly Problem[], all: boolean): string[] {
  const shown = all ? problems : problems.slice(0, SHOWN);
  const more = problems.length - shown.length;
  return [
    `${commas(problems.length)} ${problemKinds[kind]}`,
    ...shown.map(({ level, where, what }) => `  ${level}  ${where}: ${what}`),
    ...more > 0 ? [`  … and ${commas(more)} more, see --all`] : [],
    "",
  ];
}

function crowdedText(
  { split_size, objects: dropped, images }: LintReport["crowded"],
  objects: number,
): string[] {
  if (dropped === 0) return [];
  const share = (100 * dropped / objects).toFixed(1);
  return [
    `${commas(dropped)} objects (${share} %, in ${
      commas(images)
    } images) share a cell of ${split_size}×${split_size} ` +
    `with another one and will be dropped; see --split-size`,
    "",
  ];
}

function closing(problems: readonly Problem[]): string {
  const errors = problems.filter(({ level }) => level === "error").length;
  return `${counted(errors, "error")}, ${counted(problems.length - errors, "warning")}`;
}

if (import.meta.main) await main(lintData);
