/** A detector whose answer is known: it finds the quarters of an image that are red or blue. */
import { join } from "node:path";
import { writeSafetensors } from "../../core/format/safetensors.ts";

const root = new URL("../../", import.meta.url).pathname;

/** 2×2 cells of a box each; the mean colour of each goes to one linear layer. */
const NET = `
import * as nn from "${root}core/nn/mod.ts";
export const input = [3, 64, 64];
export const num_classes = 2;
class Net extends nn.Module {
  map;
  fc;
  constructor(num_classes) {
    super();
    this.map = { split_size: 2, num_boxes: 1, num_classes };
    this.fc = new nn.Linear(12, 4 * (num_classes + 5));
  }
  forward(x) {
    return this.fc.forward(nn.flatten(nn.avgPool2d(x, 32)));
  }
}
export default ({ num_classes = 2 } = {}) => new Net(num_classes);
`;

export const COLOURS = ["red", "blue"] as const;

/**
 * Writes the network and its weights, for pixels 0 … 1 (`--mean 0 --std 1`). A cell's confidence and its score for red are
 * how much red the cell has; the same for blue, added to the confidence. Each box is its cell.
 */
export async function colourDetector(
  folder: string,
  metadata: Record<string, string> = {},
): Promise<{ net: string; weights: string }> {
  const net = join(folder, "net.ts"), weights = join(folder, "colours.safetensors");
  await Deno.writeTextFile(net, NET);
  const [cells, pitch] = [4, 7];
  const weight = new Float32Array(cells * pitch * 12), bias = new Float32Array(cells * pitch);
  for (let cell = 0; cell < cells; cell++) {
    const from = (channel: number) => channel * cells + cell;
    const set = (output: number, channel: number) => weight[(cell * pitch + output) * 12 + from(channel)] = 1;
    [[0, 0], [1, 2], [2, 0], [2, 2]].forEach(([output, channel]) => set(output!, channel!));
    bias.set([0.5, 0.5, 1, 1], cell * pitch + 3);
  }
  const tensors = new Map([
    ["fc.weight", { dtype: "F32" as const, shape: [cells * pitch, 12], data: weight }],
    ["fc.bias", { dtype: "F32" as const, shape: [cells * pitch], data: bias }],
  ]);
  await Deno.writeFile(weights, writeSafetensors(tensors, metadata));
  return { net, weights };
}
