import assert from "node:assert/strict";
import { join } from "node:path";
import { train } from "../../cli/train.ts";
import { type Printed, printed } from "./printed.ts";

const root = new URL("../../", import.meta.url).pathname;

/** A network that takes no time, as a user's own. */
const NET = `
import * as nn from "${root}core/nn/mod.ts";
export const input = [3, 32, 32];
export default ({ num_classes = 10, in_channels = 3 } = {}) => new nn.Sequential(
  new nn.Conv2d(in_channels, 8, 3, { stride: 2, bias: false }),
  new nn.BatchNorm2d(8),
  new nn.ReLU(),
  new nn.AdaptiveAvgPool2d(2),
  new nn.Flatten(),
  new nn.Linear(32, num_classes),
);
`;

/** Writes the network into a folder; returns its path. */
export async function smallNet(folder: string): Promise<string> {
  const net = join(folder, "net.ts");
  await Deno.writeTextFile(net, NET);
  return net;
}

/** Trains that network, by default for an epoch of digits; the run is `folder/name`. */
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
