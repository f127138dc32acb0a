/** The op table. Adding an op: its entry here, its kernel, its lowering in each backend, its line in the golden tests. */
import * as activation from "./activation.ts";
import * as arithmetic from "./arithmetic.ts";
import * as conv from "./conv.ts";
import * as image from "./image.ts";
import * as layout from "./layout.ts";
import * as loss from "./loss.ts";
import * as mix from "./mix.ts";
import * as norm from "./norm.ts";
import type { Op } from "./op.ts";
import * as pool from "./pool.ts";
import * as random from "./random.ts";
import * as update from "./update.ts";
import { yolo_loss, yolo_loss_grad } from "./yolo_loss.ts";

export const ops = {
  ...conv,
  ...norm,
  ...activation,
  ...pool,
  ...arithmetic,
  ...layout,
  ...loss,
  ...random,
  ...update,
  ...image,
  yolo_loss,
  yolo_loss_grad,
  ...mix,
};

export type OpName = keyof typeof ops;

/** The attributes of an op, by name. */
export type AttrsOf<K extends OpName> = (typeof ops)[K] extends Op<infer Attrs> ? Attrs : never;

/** The table entry of an op, for code that handles all ops alike. */
export function opOf<K extends OpName>(name: K): Op<AttrsOf<K>> {
  return ops[name] as unknown as Op<AttrsOf<K>>;
}
