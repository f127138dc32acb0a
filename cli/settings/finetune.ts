/** Beginning with the weights of another training. */
import { type Flag, real, switchFlag, text } from "../arguments.ts";

export interface FinetuneSettings {
  /** A file of weights; empty for a beginning from scratch. */
  readonly pretrained: string;
  readonly partial: boolean;
  /** Layers, by the beginnings of their names; `*` for all but the head. */
  readonly freeze: readonly string[];
  /** Of the head; 0 for that of all others. */
  readonly lr_head: number;
}

export const ALL_BUT_HEAD = "*";

const freeze: Flag<readonly string[]> = {
  value: "[NAME,…]",
  bare: ALL_BUT_HEAD,
  help: "leaves all layers but the head as they are, or those named",
  parse: (given) => given.split(",").map((name) => name.trim()).filter((name) => name !== ""),
};

export const finetuneFlags = {
  pretrained: text("FILE", "begins with these weights; a head of another shape begins anew"),
  partial: switchFlag("lets --pretrained leave out other layers too"),
  freeze,
  "lr-head": real("learning rate of the head, where not --lr", { min: 0 }),
};

export const finetuneDefaults: FinetuneSettings = { pretrained: "", partial: false, freeze: [], lr_head: 0 };
