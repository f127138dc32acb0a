/** How `predict` tells its answers: as they come, for people and as CSV; all at the end as JSON. */
import { quoted } from "../core/csv.ts";
import { oneLine } from "../core/errors.ts";
import { percent } from "./figures.ts";

export interface Answered {
  readonly file: string;
  /** The likeliest first. */
  readonly predictions: readonly {
    readonly class: string;
    readonly index: number;
    /** 0 … 1 */
    readonly probability: number;
  }[];
  /** The picture of where the network looked. */
  readonly explanation?: string;
}

export interface Writer {
  answer(answered: Answered): void;
  damaged(file: string, why: string): void;
  finish(): void;
}

/** What answers. */
export interface Answering {
  readonly weights: string;
  readonly model: string;
}

/** `explains` says whether answers have pictures of where the network looked. */
export function createWriter(
  format: "text" | "json" | "csv",
  answering: Answering,
  explains: boolean,
): Writer {
  if (format === "csv") return csvWriter(explains);
  return format === "json" ? jsonWriter(answering) : textWriter();
}

function textWriter(): Writer {
  return {
    answer({ file, predictions, explanation }) {
      const lines = predictions.map(({ class: name, probability }) =>
        `${percent(probability).padStart(10)}  ${oneLine(name)}`
      );
      const title = oneLine(explanation ? `${file} (${explanation})` : file);
      console.log([title, ...lines].join("\n"));
    },
    damaged() {},
    finish() {},
  };
}

function csvWriter(explains: boolean): Writer {
  console.log(`file,rank,class,index,probability${explains ? ",explanation" : ""}`);
  return {
    answer({ file, predictions, explanation }) {
      const picture = explanation === undefined ? [] : [quoted(explanation)];
      for (const [i, { class: name, index, probability }] of predictions.entries()) {
        const cells = [quoted(file), i + 1, quoted(name), index, probability.toFixed(6), ...picture];
        console.log(cells.join(","));
      }
    },
    damaged() {},
    finish() {},
  };
}

function jsonWriter(answering: Answering): Writer {
  const images: Answered[] = [];
  const damaged: { file: string; why: string }[] = [];
  return {
    answer: (answered) => images.push(answered),
    damaged: (file, why) => damaged.push({ file, why }),
    finish: () => console.log(JSON.stringify({ ...answering, images, damaged }, null, 2)),
  };
}
