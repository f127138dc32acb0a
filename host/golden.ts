/** Reads a golden folder from disk. */
import { UserError } from "../core/errors.ts";
import { readSafetensors } from "../core/format/safetensors.ts";
import type { Golden, GoldenTensor } from "../core/verify/golden.ts";

/** All JSON and safetensors files of the folder. */
export async function readGolden(folder: string): Promise<Golden> {
  const json = new Map<string, unknown>();
  const tensors = new Map<string, GoldenTensor>();
  for (const file of await filesIn(folder)) {
    const path = `${folder}/${file}`;
    if (file.endsWith(".json")) json.set(file.slice(0, -".json".length), await readJson(path));
    if (file.endsWith(".safetensors")) {
      for (const [name, item] of readSafetensors(await Deno.readFile(path), path).tensors) {
        const data = item.dtype === "I64" ? Float64Array.from(item.data, Number) : item.data;
        tensors.set(name, { shape: item.shape, data });
      }
    }
  }
  if (json.size === 0) {
    throw new UserError(`${folder} holds no golden files: there must be an ops.json or the like`);
  }
  return { json, tensors };
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ isDirectory }) => !isDirectory).map(({ name }) => name).sort();
  } catch (error) {
    throw new UserError(`the golden folder ${folder} cannot be read: ${(error as Error).message}`);
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}`);
  }
}
