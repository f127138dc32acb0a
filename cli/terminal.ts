/** What a person sees while something takes long: a bar on a terminal, lines anywhere else. */
import { styleText } from "node:util";

export { megabytes } from "../core/megabytes.ts";

const encoder = new TextEncoder();

export const isTerminal: boolean = Deno.stdout.isTerminal();

/** Emphasis, where colour is wanted and shown. */
export function bold(text: string): string {
  return isTerminal && !Deno.noColor ? styleText("bold", text, { validateStream: false }) : text;
}

let gone = false;

/** The terminal is gone: from now on nothing is printed, since trying to would end the program. */
export function leaveTerminal(): void {
  gone = true;
  for (const method of ["log", "info", "warn", "error"] as const) console[method] = () => {};
}

/** Redraws the line under the cursor. */
export function redraw(line: string): void {
  write(() => [...line].slice(0, Deno.consoleSize().columns - 1).join(""));
}

/** Clears the line that `redraw` left. */
export function clearLine(): void {
  write(() => "");
}

/** A terminal that is closed may refuse before the signal that tells of it has come. */
function write(line: () => string): void {
  if (gone) return;
  try {
    Deno.stdout.writeSync(encoder.encode(`\r\x1b[K${line()}`));
  } catch {
    leaveTerminal();
  }
}

/** `━━━━━───── ` of `width` characters. */
export function bar(share: number, width = 24): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * width);
  return "━".repeat(full) + "─".repeat(width - full);
}

/** `1:02:03`, `2:03` */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "--:--";
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${String(rest).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
