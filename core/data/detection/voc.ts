/** Annotations of PASCAL VOC (Everingham et al. 2010): an XML file an image, as labelImg and many other tools write it. */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { oneLine, UserError } from "../../errors.ts";
import type { NamedBox, Size } from "./sample.ts";

export interface VocAnnotation {
  /** The image's file name; undefined where the file does not say. */
  readonly filename: string | undefined;
  /** What the file says the image's size is; undefined where it says nothing, or 0 as some tools do. */
  readonly size: Size | undefined;
  readonly objects: readonly NamedBox[];
}

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  isArray: (_, path) => path === "annotation.object",
});

/**
 * Reads a file. Its coordinates are pixels counted from 1, the last one included; boxes come out by their edges, so that
 * the first pixel lies between 0 and 1. Throws `UserError`, naming the file, where it is no such annotation.
 */
export function parseVoc(xml: string, file: string): VocAnnotation {
  const fail = (what: string): never => {
    throw new UserError(oneLine(`${file}: not a PASCAL VOC annotation: ${what}`));
  };
  const valid = XMLValidator.validate(xml);
  if (valid !== true) return fail(`line ${valid.err.line}: ${valid.err.msg}`);
  const { annotation } = parse(xml, fail);
  if (!isTree(annotation)) return fail("there is no <annotation>");
  const objects = (annotation["object"] ?? []) as unknown[];
  return {
    filename: text(annotation["filename"]),
    size: sizeOf(annotation["size"]),
    objects: objects.map((object, index) => objectOf(object, (what) => fail(`object ${index + 1} ${what}`))),
  };
}

function parse(xml: string, fail: (what: string) => never): Tree {
  try {
    return parser.parse(xml) as Tree;
  } catch (error) {
    return fail((error as Error).message); // Such as tags in tags without end.
  }
}

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined for what is absent, empty or not a text. */
function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

function sizeOf(size: unknown): Size | undefined {
  if (!isTree(size)) return undefined;
  const width = Number(text(size["width"])), height = Number(text(size["height"]));
  return width > 0 && height > 0 ? { width, height } : undefined;
}

function objectOf(object: unknown, fail: (what: string) => never): NamedBox {
  if (!isTree(object)) return fail("is empty");
  const name = text(object["name"]) ?? fail("has no <name>");
  const edges = object["bndbox"];
  if (!isTree(edges)) return fail("has no <bndbox>");
  const edge = (which: string) => {
    const given = text(edges[which]) ?? fail(`has no <${which}>`);
    const value = Number(given);
    return Number.isFinite(value) ? value : fail(`has "${given}" for <${which}>, expected a number`);
  };
  return {
    name,
    box: { x1: edge("xmin") - 1, y1: edge("ymin") - 1, x2: edge("xmax"), y2: edge("ymax") },
    difficult: isSet(object["difficult"]),
    truncated: isSet(object["truncated"]),
  };
}

/** 0 or 1; some tools write words. */
function isSet(flag: unknown): boolean {
  return /^(1|true|yes)$/i.test(text(flag) ?? "");
}
