/** Runs of `train`, as a process or as a function, on a network and data so small that they take a second. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { train } from "../../cli/train.ts";
import { type Printed, printed } from "./printed.ts";
import { withFolder } from "./temp_folder.ts";

export const root = new URL("../../", import.meta.url).pathname;

/** The command, to be started as a process; without pictures, which are the business of few tests. */
export function command(args: readonly string[]): Deno.Command {
  return commandWithPictures(["--no-pictures", ...args]);
}

export function commandWithPictures(args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-P", "train.ts", ...args],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
}

export async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await command(args).output();
  const text = new TextDecoder();
  const warning = /^Warning Permissions in the config file.*\n/m;
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr).replace(warning, "") };
}

/** A network that takes no time, as a user's own. */
export const NET = `
import * as nn from "${root}core/nn/mod.ts";
export const input = [3, 32, 32];
export default ({ num_classes = 10, in_channels = 3 } = {}) => new nn.Sequential(
  new nn.Conv2d(in_channels, 8, 3, { stride: 2, bias: false }),
  new nn.BatchNorm2d(8),
  new nn.ReLU(),
  new nn.AdaptiveAvgPool2d(2),
  new nn.Flatten(),
  new nn.Dropout(0.2),
  new nn.Linear(32, num_classes),
);
`;

/** 16 training and 8 test images in CIFAR-10's binary format: a run on them takes a second. */
export async function withCifar(
  body: (small: readonly string[], folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await Deno.mkdir(data);
    for (const [name, count] of [["data_batch_1", 16], ["test_batch", 8]] as const) {
      const bytes = Uint8Array.from({ length: count * 3073 }, (_, i) => {
        const [record, at] = [Math.floor(i / 3073), i % 3073];
        return at === 0 ? record % 10 : (at * 7 + record * 31 + (at >> 5)) % 256;
      });
      await Deno.writeFile(join(data, `${name}.bin`), bytes);
    }
    const net = join(folder, "net.ts");
    await Deno.writeTextFile(net, NET);
    await body(["--model", net, "--dataset", "cifar10", "--data", data, "--batch-size", "4"], folder);
  });
}

/** Goes on with a run of `small`, as `withCifar` gives it: its network is named again, since no code comes from a checkpoint. */
export function resume(small: readonly string[], path: string, ...flags: readonly string[]) {
  return run(...small.slice(0, 2), "--resume", path, ...flags);
}

/** Writes the network into a folder; returns its path. */
export async function smallNet(folder: string): Promise<string> {
  const net = join(folder, "net.ts");
  await Deno.writeTextFile(net, NET);
  return net;
}

/** Trains that network here, by default for an epoch of digits; the run is `folder/name`. */
export async function smallRun(folder: string, name: string, ...args: string[]): Promise<Printed> {
  const output = join(folder, name);
  const model = await smallNet(folder);
  const epochs = args.includes("--epochs") ? [] : ["--epochs", "1"];
  const done = await printed(
    train,
    "--model",
    model,
    "--output",
    output,
    "--threads",
    "2",
    ...epochs,
    ...args,
  );
  assert.equal(done.code, 0, done.err);
  return done;
}
