/** Beginning with the weights of another training. */
import { UserError } from "../../core/errors.ts";
import { type Flag, orOff, real, switchFlag, text } from "../arguments.ts";

export interface FinetuneSettings {
  /** A file of weights, or a run's folder; empty for a beginning from scratch. */
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
  help: "does not train these layers, or all but the head",
  parse: (given) => given.split(",").map((name) => name.trim()).filter((name) => name !== ""),
};

export const finetuneFlags = {
  pretrained: orOff(text("FILE", "weights to begin with; a head of other classes is new"), ""),
  partial: switchFlag("takes of --pretrained what fits"),
  // 0 is the name of a layer where layers have none of their own.
  freeze: orOff(freeze, [], ["none", "off"]),
  "lr-head": real("learning rate of the head", { min: 0 }),
};

export const finetuneDefaults: FinetuneSettings = { pretrained: "", partial: false, freeze: [], lr_head: 0 };

/** Throws where settings make no sense without others. */
export function checkFinetune({ pretrained, partial, freeze }: FinetuneSettings): void {
  if (pretrained !== "") return;
  if (partial) throw new UserError("--partial has no effect without --pretrained");
  if (freeze.length > 0) {
    throw new UserError("--freeze would keep random weights: give the trained ones with --pretrained");
  }
}
