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

export function createWriter(format: "text" | "json" | "csv", answering: Answering): Writer {
  return { text: textWriter, json: jsonWriter, csv: csvWriter }[format](answering);
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

function csvWriter(): Writer {
  console.log("file,rank,class,index,probability");
  return {
    answer({ file, predictions }) {
      for (const [i, { class: name, index, probability }] of predictions.entries()) {
        console.log([quoted(file), i + 1, quoted(name), index, probability.toFixed(6)].join(","));
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
