/** A network as a picture in Graphviz's language (https://graphviz.org/doc/info/lang.html). */
import type { Module } from "../nn/mod.ts";
import { namedModules } from "../nn/mod.ts";
import type { Shape } from "../shape.ts";
import { commas, short, times } from "../summary/format.ts";
import { depthOf, parentOf, summarise } from "../summary/summary.ts";
import { type Arrow, type Box, boxesOf, type BoxKind, type Diagram } from "./boxes.ts";
import { type Folded, foldRepeats, type Repeat } from "./repeats.ts";

export interface DrawOptions {
  /** What to call the network; its class by default. */
  readonly name?: string;
  /** Composite modules at this depth are one box; by default as deep as a page can show. */
  readonly depth?: number | undefined;
  readonly training?: boolean;
}

/** More than a page can show. */
const MOST_BOXES = 110;
const MOST_ARROWS_A_BOX = 1.6;
/** Frames inside frames beyond this only make noise. */
const MOST_FRAMES = 2;

const FILLS: Readonly<Record<BoxKind, string>> = {
  input: "#ffffff",
  output: "#ffffff",
  conv: "#d6e6f7",
  linear: "#fbe3c8",
  pool: "#d8eed2",
  join: "#f6d9dd",
  module: "#e6e0f3",
  other: "#eeeeee",
};
const SHORTCUT = "#c2334a";

/** The graph of a model on inputs of shape `[N, C, H, W]`: stages as frames, shapes, residual paths in red. */
export function dotText(model: Module, input: Shape, options: DrawOptions = {}): string {
  const diagram = readable(model, input, options);
  const { parameters, macs } = summarise(model, input, { training: options.training ?? false });
  const title = `${options.name ?? model.constructor.name}\n${commas(parameters)} parameters\n` +
    `${short(macs)} MACs for an image of ${times(input.slice(1))}`;
  return render(diagram, typesOf(model), title);
}

function readable(model: Module, input: Shape, { depth, training = false }: DrawOptions): Folded {
  const draw = (at: number | undefined) => foldRepeats(boxesOf(model, input, { depth: at, training }));
  if (depth !== undefined) return draw(depth);
  const deepest = Math.max(...[...namedModules(model).values()].map(depthOf));
  let folded = draw(undefined);
  for (let at = deepest - 1; at > 0 && !fits(folded); at--) folded = draw(at);
  return folded;
}

function fits({ boxes, arrows }: Diagram): boolean {
  return boxes.length <= MOST_BOXES && arrows.length <= MOST_ARROWS_A_BOX * boxes.length;
}

/** Classes of modules by path; a plain Sequential's says nothing. */
function typesOf(model: Module): Map<string, string> {
  return new Map(
    [...namedModules(model)].map((
      [{ constructor: { name } }, path],
    ) => [path, name === "Sequential" ? "" : name]),
  );
}

function render(
  { boxes, arrows, repeats }: Folded,
  types: ReadonlyMap<string, string>,
  title: string,
): string {
  const ids = new Map(boxes.map((box, index) => [box, `b${index}`]));
  const shortcuts = shortcutsOf({ boxes, arrows });
  const frames = framesOf(boxes, repeats);

  const frame = (path: string, indent: string): string[] => {
    const inner = [...frames].filter((other) => other !== path && holderOf(other, frames) === path);
    const own = boxes.filter((box) => frameOf(box, frames) === path);
    return [
      ...own.map((box) => `${indent}${ids.get(box)} [${boxAttributes(box, repeats)}]`),
      ...inner.flatMap((child) => [
        `${indent}subgraph ${quote(`cluster_${child}`)} {`,
        `${indent}  label=<${frameLabel(child, types, repeats)}>; fontsize=10`,
        ...frame(child, `${indent}  `),
        `${indent}}`,
      ]),
    ];
  };
  const fonts = `fontname="Verdana"`;
  return [
    "digraph {",
    `  graph [label=${
      quote(title)
    }, labelloc=t, labeljust=l, fontsize=13, ${fonts}, nodesep=0.35, ranksep=0.28,`,
    `    style="rounded,filled", fillcolor="#fafafa", color="#b8b8b8", bgcolor=white]`,
    `  node [shape=box, style="rounded,filled", ${fonts}, fontsize=11, color="#8a8a8a", height=0.3,`,
    `    margin="0.15,0.05"]`,
    `  edge [color="#555555", arrowsize=0.6, weight=10]`,
    ...frame("", "  "),
    ...arrows.map((arrow) =>
      `  ${ids.get(arrow.from)} -> ${ids.get(arrow.to)}` +
      (shortcuts.has(arrow) ? ` [color="${SHORTCUT}", penwidth=1.8, weight=1]` : "")
    ),
    "}",
    "",
  ].join("\n");
}

function boxAttributes(box: Box, repeats: ReadonlyMap<string, Repeat>): string {
  const repeat = box.kind === "module" ? repeats.get(box.path) : undefined;
  const title = `<b>${escape(box.title)}${repeat ? ` × ${repeat.count}` : ""}</b>`;
  const name = box.kind === "module" ? [pathRange(box.path, repeat)] : [];
  const details = [...name, ...box.more ? [box.more] : [], box.shape].map(escape).join("   ");
  const label = `${title}<br/><font point-size="9" color="#444444">${details}</font>`;
  return `label=<${label}>, fillcolor="${FILLS[box.kind]}", tooltip=${quote(box.path || box.title)}`;
}

/** Composite modules that get a frame, outermost first. */
function framesOf(boxes: readonly Box[], repeats: ReadonlyMap<string, Repeat>): Set<string> {
  const counts = new Map<string, number>();
  for (const { group } of boxes) {
    for (let path = group; path !== ""; path = parentOf(path)) counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  const paths = [...counts].filter(([path, count]) =>
    repeats.has(path) ||
    // A frame around nothing but one other frame says nothing.
    (depthOf(path) <= MOST_FRAMES && count > 1 && ![...counts].some(([other, its]) =>
      parentOf(other) === path && its === count && (depthOf(other) <= MOST_FRAMES || repeats.has(other))
    ))
  ).map(([path]) => path);
  return new Set(paths.sort((a, b) => depthOf(a) - depthOf(b)));
}

/** The innermost frame around a path, "" for none. */
function holderOf(path: string, frames: ReadonlySet<string>): string {
  let holder = path;
  do holder = parentOf(holder); while (holder !== "" && !frames.has(holder));
  return holder;
}

function frameOf({ group }: Box, frames: ReadonlySet<string>): string {
  return frames.has(group) ? group : holderOf(group, frames);
}

function frameLabel(
  path: string,
  types: ReadonlyMap<string, string>,
  repeats: ReadonlyMap<string, Repeat>,
): string {
  const repeat = repeats.get(path);
  // A number says too little without what it is a number in.
  const shortest = /^\d+$/.test(nameIn(path)) ? path : nameIn(path);
  const kind = (types.get(path) ?? "") + (repeat ? ` × ${repeat.count}` : "");
  const lines = [`<b>${escape(pathRange(shortest, repeat))}</b>`, ...kind ? [escape(kind.trim())] : []];
  return lines.map((line) => `${line}<br align="left"/>`).join("");
}

/** `layer1.1 … 2` */
function pathRange(path: string, repeat: Repeat | undefined): string {
  return repeat ? `${path} … ${nameIn(repeat.last)}` : path;
}

/** `branch2` of `inception3a.branch2` */
function nameIn(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/** Arrows of residual shortcuts: of the ways into a sum the one with fewer boxes, back to where the ways part. */
function shortcutsOf({ boxes, arrows }: Diagram): Set<Arrow> {
  const into = Map.groupBy(arrows, ({ to }) => to);
  const outOf = Map.groupBy(arrows, ({ from }) => from);
  const rank = new Map<Box, number>();
  for (const box of boxes) {
    rank.set(box, 1 + Math.max(-1, ...(into.get(box) ?? []).map(({ from }) => rank.get(from) ?? -1)));
  }
  const shortcuts = new Set<Arrow>();
  for (const box of boxes) {
    const ways = into.get(box) ?? [];
    if (box.title !== "Add" || ways.length < 2) continue;
    let arrow = ways.reduce((a, b) => rank.get(b.from)! < rank.get(a.from)! ? b : a);
    shortcuts.add(arrow);
    while (outOf.get(arrow.from)!.length === 1 && into.get(arrow.from)?.length === 1) {
      arrow = into.get(arrow.from)![0]!;
      shortcuts.add(arrow);
    }
  }
  return shortcuts;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
