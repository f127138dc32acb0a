/** So many runs under way, whatever a backend would have. */
import type { Backend, Session } from "../../core/backend/backend.ts";

/** The session, with so many runs of each graph under way; the CPU's has one. */
export function sessionWithDepth(session: Session, depth: number): Session {
  return { ...session, depth: (graph) => session.depth(graph) === 1 ? 1 : depth };
}

/** The backend, with such sessions. */
export function withDepth(backend: Backend, depth: number): Backend {
  return { ...backend, compile: (graphs) => sessionWithDepth(backend.compile(graphs), depth) };
}
