/** Who is compared: Strata, and others that run the same networks on the same processor or GPU. */
import { fileURLToPath } from "node:url";
import type { Device, Workload } from "./protocol.ts";
import type { Command } from "./worker.ts";

export interface Contestant {
  /** As `--only` takes it. */
  readonly name: string;
  /** Undefined where nobody has said where it is. */
  readonly command: Command | undefined;
  /** How to get it; none for Strata. */
  readonly install?: string;
  /** Whether it reads the network from an ONNX file. */
  readonly readsOnnx?: boolean;
  readonly runs: (workload: Workload) => boolean;
}

export const names = [
  "strata-256",
  "strata-128",
  "strata-webgpu",
  "torch",
  "torch-other",
  "onnxruntime-node",
  "onnxruntime-web",
  "tfjs",
] as const;
export type Name = typeof names[number];

export interface Places {
  readonly device: Device;
  readonly threads: number;
  /** A Python whose PyTorch is compared beside Debian's. */
  readonly python: string | undefined;
  /** Folder that holds the node_modules of the peers. */
  readonly packages: string;
}

const WIDE_SIMD = "--v8-flags=--experimental-wasm-revectorize,--no-wasm-bounds-checks";

/** All of them, in the order of the tables. */
export function contestants(
  { device, threads, python, packages }: Places,
): Readonly<Record<Name, Contestant>> {
  const npm = `npm install --ignore-scripts --prefix ${packages} ${PACKAGES.join(" ")}`;
  const onnx = { install: npm, readsOnnx: true };
  // Node has no WebGPU of its own, and Deno's is the one that Strata has.
  const javascript = device === "webgpu" ? deno : node;
  return {
    "strata-256": { name: "strata-256", command: strata(WIDE_SIMD), runs: onCpu },
    "strata-128": { name: "strata-128", command: strata(), runs: onCpu },
    "strata-webgpu": { name: "strata-webgpu", command: strata(), runs: onWebgpu },
    torch: {
      name: "torch",
      command: torch("/usr/bin/python3", threads),
      install: "apt install python3-torch python3-torchvision libopenblas0-pthread",
      runs: always,
    },
    "torch-other": {
      name: "torch-other",
      command: python === undefined ? undefined : torch(python, threads),
      install:
        "python3 -m venv DIR && DIR/bin/pip install torch torchvision onnx, then --python DIR/bin/python",
      runs: always,
    },
    "onnxruntime-node": {
      name: "onnxruntime-node",
      command: node("onnx_worker.mjs", "onnxruntime-node"),
      ...onnx,
      runs: (workload) => isInference(workload) && onCpu(workload),
    },
    "onnxruntime-web": {
      name: "onnxruntime-web",
      command: javascript("onnx_worker.mjs", "onnxruntime-web"),
      ...onnx,
      runs: isInference,
    },
    tfjs: {
      name: "tfjs",
      command: javascript("tfjs_worker.mjs"),
      install: npm,
      runs: ({ device, model, mode }) => TFJS[device][mode].includes(model),
    },
  };
}

const PACKAGES = [
  "onnxruntime-node",
  "onnxruntime-web",
  "@tensorflow/tfjs",
  "@tensorflow/tfjs-backend-wasm",
  "@tensorflow/tfjs-backend-webgpu",
];

/** What tfjs has been taught, see tfjs_networks.mjs; on a processor it takes minutes to train anything larger. */
const TFJS_NETWORKS = ["resnet50", "vgg16", "small_cnn"];
const TFJS = {
  cpu: { train: ["small_cnn"], infer: TFJS_NETWORKS },
  webgpu: { train: TFJS_NETWORKS, infer: TFJS_NETWORKS },
};

function always(): boolean {
  return true;
}

function onCpu({ device }: Workload): boolean {
  return device === "cpu";
}

function onWebgpu({ device }: Workload): boolean {
  return device === "webgpu";
}

function isInference({ mode }: Workload): boolean {
  return mode === "infer";
}

function strata(...flags: string[]): Command {
  return { program: Deno.execPath(), args: ["run", "--quiet", "-A", ...flags, here("strata_worker.ts")] };
}

function deno(file: string, ...args: string[]): Command {
  return { program: Deno.execPath(), args: ["run", "--quiet", "-A", here(file), ...args] };
}

function torch(program: string, threads: number): Command {
  // The libraries under PyTorch have threads of their own.
  const libraries = ["OMP", "OPENBLAS", "MKL"];
  const env = Object.fromEntries(libraries.map((library) => [`${library}_NUM_THREADS`, String(threads)]));
  return { program, args: [here("torch_worker.py")], env: { ...env, PYTHONDONTWRITEBYTECODE: "1" } };
}

function node(file: string, ...args: string[]): Command {
  return { program: "node", args: [here(file), ...args] };
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
