/** Finds blocks that follow each other and are the same, so that a picture shows one and says how many there are. */
import { parentOf } from "../summary/summary.ts";
import type { Arrow, Box, Diagram } from "./boxes.ts";

export interface Repeat {
  /** How often it stands there. */
  readonly count: number;
  /** Path of the last of them. */
  readonly last: string;
}

export interface Folded extends Diagram {
  /** Of modules that stand for several, by the path of the first. */
  readonly repeats: ReadonlyMap<string, Repeat>;
}

/** Leaves of each row of equal blocks only the first. */
export function foldRepeats({ boxes, arrows }: Diagram): Folded {
  const stand = new Map(boxes.map((box) => [box, box]));
  const repeats = new Map<string, Repeat>();

  const foldIn = (path: string) => {
    const blocks = blocksOf(boxes, path);
    for (let at = 0; at < blocks.length;) {
      const first = blocks[at]!;
      let count = 1;
      while (continues(blocks[at + count - 1]!, blocks[at + count], arrows)) count++;
      const run = blocks.slice(at, at + count);
      if (first.path !== undefined && count > 1 && isWorthFolding(first)) {
        repeats.set(first.path, { count, last: run.at(-1)!.path! });
        for (const { boxes } of run.slice(1)) {
          boxes.forEach((box, index) => stand.set(box, first.boxes[index]!));
        }
      }
      if (first.path !== undefined && first.boxes.length > 1) foldIn(first.path);
      at += count;
    }
  };
  foldIn("");

  // Where repeats are nested, a box may stand for one that itself stands for another.
  const standFor = (box: Box): Box => {
    const other = stand.get(box)!;
    return other === box ? box : standFor(other);
  };
  const seen = new Set<string>();
  const number = new Map(boxes.map((box, index) => [box, index]));
  const kept = arrows.flatMap(({ from, to }): Arrow[] => {
    const arrow = { from: standFor(from), to: standFor(to) };
    const [start, end] = [number.get(arrow.from)!, number.get(arrow.to)!];
    const key = `${start} ${end}`;
    // From one of the equal blocks to the next: back to the first, where they are drawn as one.
    if (start >= end || seen.has(key)) return [];
    seen.add(key);
    return [arrow];
  });
  return { boxes: boxes.filter((box) => stand.get(box) === box), arrows: kept, repeats };
}

/** What stands directly in a module: the modules in it, and boxes that are in none of them. */
interface Block {
  readonly path: string | undefined;
  readonly boxes: readonly Box[];
}

function blocksOf(boxes: readonly Box[], path: string): Block[] {
  const blocks: { path: string | undefined; boxes: Box[] }[] = [];
  for (const box of boxes) {
    const home = box.kind === "module" ? box.path : box.group;
    if (path !== "" && home !== path && !home.startsWith(`${path}.`)) continue;
    const child = home === path ? undefined : childOn(home, path);
    const last = blocks.at(-1);
    if (last && child !== undefined && last.path === child) last.boxes.push(box);
    else blocks.push({ path: child, boxes: [box] });
  }
  return blocks;
}

/** Of `layer1.0.downsample` and `layer1`: `layer1.0`. */
function childOn(home: string, path: string): string {
  let child = home;
  while (parentOf(child) !== path) child = parentOf(child);
  return child;
}

/** A frame takes more room than a second box. */
function isWorthFolding({ boxes }: Block): boolean {
  return boxes.length > 1 || boxes[0]!.kind === "module";
}

/** Whether `next` is a second `block` that takes its input from `block` alone. */
function continues(block: Block, next: Block | undefined, arrows: readonly Arrow[]): boolean {
  if (!next || block.path === undefined || next.path === undefined) return false;
  if (signature(block, arrows) !== signature(next, arrows)) return false;
  const before = new Set(block.boxes);
  const inside = new Set(next.boxes);
  const entering = arrows.filter(({ from, to }) => inside.has(to) && !inside.has(from));
  const leaving = arrows.filter(({ from, to }) => before.has(from) && !before.has(to));
  return entering.every(({ from }) => before.has(from)) && leaving.every(({ to }) => inside.has(to));
}

function signature({ path, boxes }: Block, arrows: readonly Arrow[]): string {
  const place = new Map(boxes.map((box, index) => [box, index]));
  const looks = boxes.map((
    { kind, title, more, shape, path: own },
  ) => [kind, title, more, shape, own.slice(path!.length)]);
  // What comes in from outside counts by its shape: on other inputs, a block has other weights.
  const links = arrows.filter(({ to }) => place.has(to))
    .map(({ from, to }) => [place.get(from) ?? from.shape, place.get(to)]);
  return JSON.stringify([looks, links]);
}
