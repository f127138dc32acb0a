/** What is kept on disk, and how often. */
import { real, whole } from "../arguments.ts";

export interface SavingSettings {
  readonly save_top_k: number;
  /** 0 for never. */
  readonly save_every: number;
  /** 0 for never. */
  readonly save_every_minutes: number;
}

export const savingFlags = {
  "save-top-k": whole("keeps the weights of the K best epochs; 1", { min: 1 }, "K"),
  "save-every": whole("keeps a checkpoint of every Nth epoch", { min: 0 }),
  "save-every-minutes": real("saves within epochs too, so often; 5", { min: 0 }),
};

export const savingDefaults: SavingSettings = { save_top_k: 1, save_every: 0, save_every_minutes: 5 };
