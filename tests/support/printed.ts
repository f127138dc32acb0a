/** A command as a function: its exit code, and what it prints. */
export interface Printed {
  readonly code: number;
  /** Lines of the output, and of the error stream. */
  readonly out: string;
  readonly err: string;
}

export async function printed(
  command: (args: readonly string[]) => Promise<number>,
  ...args: readonly string[]
): Promise<Printed> {
  const { log, error } = console;
  const [out, err]: [string[], string[]] = [[], []];
  console.log = (line: string) => out.push(line);
  console.error = (line: string) => err.push(line);
  try {
    const code = await command(args);
    return { code, out: out.join("\n"), err: err.join("\n") };
  } finally {
    console.log = log;
    console.error = error;
  }
}
