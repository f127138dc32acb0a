/** The networks that can be compared: those that have a name, and one that even the slowest peer can train. */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "../models/options.ts";
import { type ModelEntry, models } from "../models/registry.ts";

function smallCnn(
  { num_classes = 10, in_channels = 3, input_size = [32, 32] }: ModelOptions = {},
): nn.Module {
  const [height, width] = input_size;
  return new nn.Sequential(
    new nn.Conv2d(in_channels, 8, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(16 * Math.floor(height / 4) * Math.floor(width / 4), num_classes),
  );
}

export const networks: Readonly<Record<string, ModelEntry>> = {
  ...models,
  small_cnn: { create: smallCnn, input: [3, 32, 32], num_classes: 10, source: "peers/networks.ts" },
};
