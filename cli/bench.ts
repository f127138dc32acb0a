/** `bench`: how fast Strata is here. Each of its subcommands has a file of its own. */
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { benchKernels } from "./bench_kernels.ts";
import { benchModel } from "./bench_model.ts";
import { benchPeers } from "./bench_peers.ts";
import { main } from "./main.ts";

interface Subcommand {
  readonly help: string;
  /** Returns the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  kernels: { help: "single ops, against what this machine can do at the most", run: benchKernels },
  model: { help: "a network's training step or inference, whole", run: benchModel },
  peers: { help: "Strata beside PyTorch, ONNX Runtime and tfjs", run: benchPeers },
};

const HELP = `Measures how fast Strata is on this machine.

${
  Object.entries(subcommands).map(([name, { help }]) => `  deno task bench ${name.padEnd(9)}${help}`).join(
    "\n",
  )
}

Each has --help, and --json for programs. deno task measures with 256-bit SIMD, as deno task train runs; with 128-bit
SIMD, as plain Deno runs: deno run -P cli/bench.ts …`;

/** Runs the command; returns its exit code. */
export async function bench([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === "--help") {
    console.log(HELP);
    return 0;
  }
  const found = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (found) return await found.run(args);
  const names = Object.keys(subcommands);
  throw new UserError(
    `bench ${name}: there is no such benchmark; did you mean ${nearest(name, names)}? Known are ${
      names.join(", ")
    }`,
  );
}

if (import.meta.main) await main(bench);
