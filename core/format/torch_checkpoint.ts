/** Where the weights are in what people save with PyTorch. */
import { describeValue, PickleError, pickleText, type PickleValue } from "./pickle_value.ts";
import { TorchTensor } from "./torch_pickle.ts";

/** What training scripts call the state_dict within a checkpoint; the first one that is there counts. */
const NAMES = [
  "state_dict",
  "model_state_dict",
  "model_state",
  "model",
  "net",
  "network",
  "weights",
  "params",
  "module",
];

/** What wrappers put before each name: DataParallel, around torch.compile or within it. */
const WRAPPERS = ["module.", "_orig_mod.", "module."];

/**
 * The state_dict: the saved object itself, or the one within a checkpoint that goes by one of the usual names, or the only
 * one that there is. Wrappers' prefixes are taken off; what is no tensor is left out.
 */
export function findTensors(saved: PickleValue): Map<string, TorchTensor> {
  if (!(saved instanceof Map)) throw new PickleError("it holds no state_dict: save model.state_dict()");
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of findDict(saved)) {
    if (typeof name === "string" && value instanceof TorchTensor) tensors.set(name, value);
  }
  return WRAPPERS.reduce(withoutPrefix, tensors);
}

type Dict = Map<PickleValue, PickleValue>;

function findDict(saved: Dict): Dict {
  let dict = saved;
  // A dict may hold itself.
  for (let depth = 0; depth < 8; depth++) {
    const named = NAMES.map((name) => dict.get(name)).find((value) => value instanceof Map);
    if (!named) break;
    dict = named;
  }
  if (hasTensors(dict)) return dict;
  // Each dict is looked through once, however often it is there.
  const values = new Set(dict.values());
  const dicts = new Set([...values].filter((value) => value instanceof Map && hasTensors(value)));
  const inner = [...dict].filter(([, value]) => dicts.has(value));
  if (inner.length === 0) {
    const found = dict.size > 0 ? `only ${listed([...dict.keys()])}` : "nothing";
    throw new PickleError(`it holds no state_dict, ${found}: save model.state_dict()`);
  }
  if (inner.length > 1) {
    const choices = inner.map(([name]) => name);
    throw new PickleError(`it holds several state_dicts (${listed(choices)}): save one of them by itself`);
  }
  return inner[0]![1] as Dict;
}

function hasTensors(dict: Dict): boolean {
  return dict.values().some((value) => value instanceof TorchTensor);
}

function withoutPrefix(tensors: Map<string, TorchTensor>, prefix: string): Map<string, TorchTensor> {
  if (tensors.size === 0 || !tensors.keys().every((name) => name.startsWith(prefix))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

function listed(names: readonly PickleValue[]): string {
  const shown = names.slice(0, 5).map((name) => pickleText(name) ?? describeValue(name)).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
