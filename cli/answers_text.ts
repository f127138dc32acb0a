/** What `predict` found, as text, JSON or CSV. */
import { quoted } from "../host/result_files.ts";

export interface Prediction {
  readonly class: string;
  readonly index: number;
  readonly probability: number;
}

export type Answer =
  | { readonly file: string; readonly predictions: readonly Prediction[]; readonly explanation?: string }
  | { readonly file: string; readonly error: string };

export function answersText(answers: readonly Answer[], format: "text" | "json" | "csv"): string {
  if (format === "json") return JSON.stringify(answers, null, 2);
  return format === "csv" ? csvText(answers) : answers.map(blockOf).join("\n");
}

/** A line for each class of each image; images that cannot be decoded have none. */
function csvText(answers: readonly Answer[]): string {
  const rows = answers.flatMap((answer) => {
    if ("error" in answer) return [];
    return answer.predictions.map(({ class: name, index, probability }, rank) =>
      [quoted(answer.file), rank + 1, quoted(name), index, probability.toFixed(6)].join(",")
    );
  });
  return ["file,rank,class,index,probability", ...rows].join("\n");
}

function blockOf(answer: Answer): string {
  if ("error" in answer) return `${answer.file}: cannot be decoded`;
  const { file, predictions, explanation } = answer;
  const lines = predictions.map(({ class: name, probability }) =>
    `  ${(100 * probability).toFixed(2).padStart(6)} %  ${name}`
  );
  return [file, ...lines, ...explanation === undefined ? [] : [`  explained in ${explanation}`]].join("\n");
}
