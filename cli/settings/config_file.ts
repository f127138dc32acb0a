/** `--config` and `--recipe`: settings from JSON, under the names of a run's config.json. */
import { oneLine, UserError } from "../../core/errors.ts";
import { likely } from "../../core/nearest.ts";
import { readText } from "../../host/files.ts";
import type { AnyModelOptions } from "../../models/registry.ts";
import type { Flag } from "../arguments.ts";
import { flagOf, type SettingFlags, settingFlags, settingOf } from "./settings.ts";

export interface Config {
  readonly flags: SettingFlags;
  readonly model_options: AnyModelOptions | undefined;
  /** Whether the file says all that there is to say: then also what has no effect. */
  readonly whole: boolean;
}

/** What a run's config.json keeps beside its settings, and what a recipe says of itself: of no effect on a new run. */
export const ASIDE: readonly string[] = ["images", "classes", "shape", "normalize", "methods", "description"];

/** Reads a file of settings. Throws one line where one is unknown or wrong. */
export async function readConfig(file: string): Promise<Config> {
  const text = await readText(file);
  try {
    return configOf(parse(text, file), file);
  } catch (error) {
    // Messages quote the file, which may hold anything.
    throw error instanceof UserError ? new UserError(oneLine(error.message)) : error;
  }
}

function configOf(content: Record<string, unknown>, file: string): Config {
  const known = [...SETTINGS, "model_options", ...ASIDE];
  for (const name of Object.keys(content)) {
    if (known.includes(name)) continue;
    const meant = likely(name, known);
    const advice = meant === undefined ? "--print-config shows them all" : `did you mean ${meant}?`;
    throw new UserError(`${file}: there is no setting ${name}; ${advice}`);
  }
  const options = content["model_options"];
  if (options !== undefined && !isRecord(options)) {
    throw new UserError(`${file}: model_options must be an object, such as { "cifar_stem": true }`);
  }
  return {
    flags: settingsIn(content, file),
    model_options: options as AnyModelOptions | undefined,
    whole: SETTINGS.every((name) => name in content),
  };
}

const SETTINGS = Object.keys(settingFlags).map(settingOf);

/** Throws where settings are not as their flags have them. */
function settingsIn(content: Record<string, unknown>, file: string): SettingFlags {
  const flags: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(content)) {
    if (!SETTINGS.includes(name)) continue;
    const flag: Flag<unknown> = settingFlags[flagOf(name) as keyof typeof settingFlags];
    const given = toText(value, flag, `${file}: ${name}`);
    if (given !== "") flags[flagOf(name)] = flag.parse(given, `${file}: ${name}`);
    else if (Array.isArray(value)) flags[flagOf(name)] = [];
  }
  return flags;
}

/** Throws where a checkpoint's settings cannot be those of a run. Others than today's are left alone: versions differ. */
export function checkRunConfig(content: unknown, file: string): void {
  try {
    if (!isRecord(content) || NAMES.some((name) => typeof content[name] !== "string")) {
      throw new UserError(`${file}: its metadata is damaged`);
    }
    settingsIn(content, file);
  } catch (error) {
    throw error instanceof UserError
      ? new UserError(oneLine(`${error.message}; resume from another checkpoint`))
      : error;
  }
}

/** What every run has. */
const NAMES = ["model", "dataset", "data"];

function parse(text: string, file: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file}: not JSON (${(error as Error).message})`);
  }
  if (!isRecord(content)) {
    throw new UserError(`${file}: must be an object of settings, such as { "epochs": 5 }`);
  }
  return content;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as a flag has it; empty for what stands for nothing. */
function toText(value: unknown, flag: Flag<unknown>, where: string): string {
  const isScalar = typeof value === "string" || typeof value === "number";
  if (!flag.value && typeof value !== "boolean") throw new UserError(`${where} must be true or false`);
  if (!flag.value || isScalar) return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string" || typeof item === "number")) {
    return value.join(",");
  }
  if (value === true && flag.bare) return flag.bare;
  if (value === false && flag.bare) return "";
  throw new UserError(`${where} must be a value as in the help: ${flag.value}`);
}
