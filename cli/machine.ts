/** What ran a measurement: to be told with every figure. */
import { cpus } from "node:os";
import project from "../deno.json" with { type: "json" };

export const versions: Readonly<Record<string, string>> = {
  strata: project.version,
  deno: Deno.version.deno,
  v8: Deno.version.v8,
};

/** The processor's name, and how many threads it has. */
export function machineOf(): string {
  const all = cpus();
  return `${all[0]?.model ?? "unknown processor"}, ${all.length} hardware threads`;
}
