/// <reference lib="dom" />
/** What both parts of the page do with its elements. */
import { OutOfMemory } from "../core/backend/backend.ts";
import { UserError } from "../core/errors.ts";

/** The element of that id. */
export function find<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** Shows a text in an element that is hidden without one. */
export function notice(id: string, text: string): void {
  const place = find(id);
  place.hidden = text === "";
  place.textContent = text;
}

/** What went wrong in one line, for people. */
export function kindly(error: unknown): string {
  if (error instanceof UserError) return error.message.split("\n", 1)[0]!;
  if (error instanceof OutOfMemory) return `That ${error.message}; a smaller network may do.`;
  console.error(error);
  return `Strata is at fault: ${error instanceof Error ? error.message : error}`;
}

export function option(value: string, text: string): HTMLOptionElement {
  return new Option(text, value);
}
