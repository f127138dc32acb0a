import { closest, distance } from "fastest-levenshtein";

/** The candidate that `word` was most likely meant to be; undefined if there are none to choose from. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = closest(word.toLowerCase(), candidates.map((candidate) => candidate.toLowerCase()));
  return candidates.find((candidate) => candidate.toLowerCase() === lower);
}

/** The same, only where `word` looks like a slip of the pen: at most two of five letters differ. */
export function likely(word: string, candidates: readonly string[]): string | undefined {
  const found = nearest(word, candidates);
  if (found === undefined) return undefined;
  const slips = distance(word.toLowerCase(), found.toLowerCase());
  return slips <= 0.4 * Math.max(word.length, found.length) ? found : undefined;
}
