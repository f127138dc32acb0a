/** Reads damaged copies of a file: each must be read, or refused by an error for the user, soon, and in bounded memory. */
import { basename, join } from "node:path";
import { readConfig } from "../../cli/settings/config_file.ts";
import { readCheckpoint, resumable } from "../../cli/resume.ts";
import { resolveSettings } from "../../cli/settings/settings.ts";
import { readMemory } from "../../cli/tune.ts";
import { parseBinaryBatch, parsePythonBatch } from "../../core/data/cifar10.ts";
import { parseVoc } from "../../core/data/detection/voc.ts";
import { parseYoloLabels } from "../../core/data/detection/yolo_labels.ts";
import { readIdx } from "../../core/data/idx.ts";
import { UserError } from "../../core/errors.ts";
import { parseStateDict } from "../../core/format/read_state_dict.ts";
import { loadCifar10 } from "../../host/cifar10.ts";
import { findAnnotations } from "../../host/detection/find.ts";
import { createImagePool, DamagedImage } from "../../host/images/pool.ts";
import { unpacked } from "../../host/mnist.ts";
import { findRuns, readLog } from "../../host/run_folder.ts";
import { dice } from "./dice.ts";
import { mutate } from "./mutations.ts";
import { writeFiles } from "./write_files.ts";

const MEGAPIXELS = 20;

export interface Reader {
  readonly name: string;
  /** Whether it reads files of this name. */
  readonly fits: RegExp;
  /** Reads the bytes, or the same as a file of this name in an otherwise empty folder. */
  readonly read: (bytes: Uint8Array<ArrayBuffer>, file: string, folder: string) => unknown;
}

/** Darknet's files, which name each other. */
export const DARKNET = {
  "obj.data": "classes = 2\ntrain = train.txt\nvalid = train.txt\nnames = obj.names\nbackup = backup\n",
  "obj.names": "red\ngreen\n",
  "train.txt": "a.jpg\nimages/b.png\n",
} as const;

const decoder = new TextDecoder();
const pool = createImagePool(1);

export const closeReaders = () => pool.close();

/** The first one that fits is taken. */
export const readers: readonly Reader[] = [
  {
    name: "checkpoint",
    fits: /^last\.safetensors$/,
    async read(_bytes, file, folder) {
      for (const run of await findRuns(join(folder, ".."))) resumable(run, {});
      const { config } = await readCheckpoint(file);
      if (config) resolveSettings({}, config);
    },
  },
  {
    name: "weights",
    fits: /\.(safetensors|pth|th|pt|h5|keras|onnx|weights)$/,
    read: (bytes) => parseStateDict(bytes, "weights"),
  },
  {
    name: "idx",
    fits: /idx3-ubyte(\.gz)?$/,
    read: async (_bytes, file) => readIdx(await unpacked(file), 3, file),
  },
  {
    name: "idx labels",
    fits: /idx1-ubyte(\.gz)?$/,
    read: async (_bytes, file) => readIdx(await unpacked(file), 1, file),
  },
  { name: "VOC", fits: /\.xml$/, read: (bytes) => parseVoc(decoder.decode(bytes), "a.xml") },
  {
    name: "YOLO labels",
    fits: /^labels?\.txt$/,
    read: (bytes) => parseYoloLabels(decoder.decode(bytes), "a.txt"),
  },
  {
    name: "Darknet",
    fits: /\.(data|names)$|^train\.txt$/,
    async read(bytes, file, folder) {
      await writeFiles(folder, { ...DARKNET, [basename(file)]: bytes });
      await findAnnotations(join(folder, file.endsWith(".data") ? basename(file) : "obj.data"));
    },
  },
  {
    name: "YOLO settings",
    fits: /^data\.ya?ml$/,
    async read(_bytes, _file, folder) {
      await writeFiles(folder, { "a.jpg": "", "a.txt": "" });
      await findAnnotations(folder);
    },
  },
  { name: "CIFAR binary", fits: /\.bin$/, read: (bytes) => parseBinaryBatch(bytes, "batch") },
  { name: "CIFAR Python", fits: /^(data|test)_batch/, read: (bytes) => parsePythonBatch(bytes, "batch") },
  {
    name: "CIFAR archive",
    fits: /\.tar\.gz$/,
    read: (_bytes, file) => loadCifar10(file),
  },
  {
    name: "image",
    fits: /\.(jpe?g|png|webp|gif|tiff?|avif|bmp|p[bgp]m)$/i,
    async read(_bytes, path) {
      const maxPixels = 1e6 * MEGAPIXELS;
      await pool.inspect({ path, maxPixels });
      await pool.load({ path, channels: 3, maxPixels, transforms: [], at: undefined });
    },
  },
  { name: "autotune", fits: /^autotune\.json$/, read: (_bytes, file) => readMemory(file) },
  { name: "configuration", fits: /\.json$/, read: (_bytes, file) => readConfig(file) },
  { name: "log", fits: /^log\.csv$/, read: (_bytes, _file, folder) => readLog(folder) },
];

export interface FuzzResult {
  readonly read: number;
  readonly refused: number;
  /** What must not be: any other error, with the number of the copy. */
  readonly faults: readonly string[];
  readonly slowestMs: number;
  /** The most memory of the whole process above what it had before; undefined where the system does not tell. */
  readonly peakBytes: number | undefined;
}

export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  /** Told of each copy before it is read. */
  readonly onCopy?: (index: number) => void;
}

/** Reads `count` damaged copies; a copy is a function of the seed and its number. `parent` is an empty folder. */
export async function fuzz(
  { read }: Reader,
  { name, bytes, parent }: { readonly name: string; readonly bytes: Uint8Array; readonly parent: string },
  { count, seed, onCopy }: FuzzOptions,
): Promise<FuzzResult> {
  const faults: string[] = [];
  let done = 0, refused = 0, slowestMs = 0;
  const folder = join(parent, "run");
  await Deno.mkdir(folder, { recursive: true });
  const before = residentBytes();
  const file = join(folder, name);
  for (let index = 0; index < count; index++) {
    onCopy?.(index);
    const copy = mutate(bytes, dice(seed * 1_000_003 + index));
    await Deno.writeFile(file, copy);
    const began = performance.now();
    try {
      await read(copy, file, folder);
      done++;
    } catch (error) {
      const isTold = error instanceof UserError || error instanceof DamagedImage;
      if (isTold && !/\p{Cc}/u.test(error.message)) refused++;
      else faults.push(`copy ${index}: ${(error as Error).stack ?? error}`);
    }
    slowestMs = Math.max(slowestMs, performance.now() - began);
  }
  const peak = residentBytes("VmHWM");
  const peakBytes = peak === undefined || before === undefined ? undefined : Math.max(peak - before, 0);
  return { read: done, refused, faults, slowestMs, peakBytes };
}

/** Memory of this process now, or the most since the last look (`VmHWM`); undefined where the system does not tell. */
function residentBytes(which: "VmRSS" | "VmHWM" = "VmRSS"): number | undefined {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    if (which === "VmRSS") Deno.writeTextFileSync("/proc/self/clear_refs", "5"); // Forgets the most so far.
    return 1024 * Number(new RegExp(`^${which}:\\s+(\\d+) kB`, "m").exec(status)![1]);
  } catch {
    return undefined;
  }
}

/** What a reader may take beside what the program has: more than any bound that the readers state for themselves. */
export function mostBytes(fileBytes: number): number {
  return 400e6 + 16 * fileBytes;
}

/** How long a copy may take, on a machine that is busy too; libhdf5 has its own limit, see core/format/keras.ts. */
export function mostMs(name: string): number {
  return /\.(h5|keras)$/.test(name) ? 40_000 : 10_000;
}
