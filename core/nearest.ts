import { closest } from "fastest-levenshtein";

/** The candidate that `word` was most likely meant to be; undefined if there are none to choose from. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = closest(word.toLowerCase(), candidates.map((candidate) => candidate.toLowerCase()));
  return candidates.find((candidate) => candidate.toLowerCase() === lower);
}
