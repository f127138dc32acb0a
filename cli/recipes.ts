/** Named recipes: the files of `recipes/`, each a `--config` that comes with Strata. */
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { readText } from "../host/files.ts";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../recipes", import.meta.url));

/** Their names, in order. */
export async function recipeNames(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(FOLDER));
  return entries.filter(({ name }) => name.endsWith(".json")).map(({ name }) => name.slice(0, -5)).sort();
}

/** The path of a recipe. Throws where there is none of that name. */
export async function recipeFile(name: string): Promise<string> {
  const names = await recipeNames();
  if (names.includes(name)) return `${FOLDER}/${name}.json`;
  throw new UserError(
    `--recipe ${name}: there is none of that name; did you mean ${nearest(name, names)}? ` +
      `Known are ${names.join(", ")}; a file of your own goes with --config`,
  );
}

/** Lines for the help: each name and what it does. */
export async function describeRecipes(): Promise<string[]> {
  const names = await recipeNames();
  const width = Math.max(0, ...names.map((name) => name.length)) + 2;
  return await Promise.all(names.map(async (name) => {
    const { description = "" } = JSON.parse(await readText(`${FOLDER}/${name}.json`));
    return `  ${name.padEnd(width)}${description}`;
  }));
}
