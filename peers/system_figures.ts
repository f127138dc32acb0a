/** What Linux tells of processes and of the machine; other systems are not asked, and their figures are undefined. */
import type { MachineSeconds } from "./rounds.ts";

/** Seconds of processor time that all threads of the process have had. */
export function processorSeconds(pid: number): number | undefined {
  // The second field is the program's name in parentheses, and may hold anything.
  const fields = read(`${pid}/stat`)?.replace(/^.*\) /s, "").split(" ").map(Number);
  return fields && (fields[11]! + fields[12]!) / TICKS;
}

/** Bytes of memory that the process has had resident at its hungriest. */
export function peakResidentBytes(pid: number): number | undefined {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(read(`${pid}/status`) ?? "") ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Of all processors together. What a hypervisor has given to other machines counts as busy. */
export function machineSeconds(): MachineSeconds | undefined {
  const fields = /^cpu +(.+)$/m.exec(read("stat") ?? "")?.[1]?.split(" ").map((field) =>
    Number(field) / TICKS
  );
  if (!fields) return undefined;
  const [user, nice, system, idle, waiting, ...interruptsAndStolen] = fields as [
    number,
    number,
    number,
    number,
    number,
  ];
  const rest = (interruptsAndStolen as number[]).slice(0, 3);
  return { busy: [user, nice, system, ...rest].reduce((a, b) => a + b), idle: idle + waiting };
}

/** Of a second; what Linux calls USER_HZ, the same on all machines of our time. */
const TICKS = 100;

function read(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${file}`);
  } catch {
    return undefined;
  }
}
