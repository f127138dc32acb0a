/** Weights to begin with. */
import type { Session } from "../backend/backend.ts";
import type { MatchedStateDict } from "../nn/match_state_dict.ts";
import { averageName } from "./step.ts";

/** Writes what fits into a training session, and into the moving averages, which begin with the weights. */
export function loadPretrained(session: Session, { tensors }: MatchedStateDict): void {
  const known = new Set(session.stateNames);
  for (const [name, data] of tensors) {
    session.writeState(name, data);
    if (known.has(averageName(name))) session.writeState(averageName(name), data);
  }
}
