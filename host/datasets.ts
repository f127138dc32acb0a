import type { DatasetSplit } from "../core/data/dataset.ts";
import { loadDigits } from "../core/data/digits.ts";
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { Progress } from "./download.ts";

type Loader = (dataFolder: string, progress: Progress | undefined) => Promise<DatasetSplit>;

const LOADERS: Readonly<Record<string, Loader>> = {
  digits: () => loadDigits(),
  // Archives and downloads take longer to load than all the rest, and digits do without them.
  cifar10: async (dataFolder, progress) => {
    const { loadCifar10 } = await import("./cifar10.ts");
    return await loadCifar10(dataFolder, { progress });
  },
};

/** The names that `loadDataset` knows. */
export const DATASETS: readonly string[] = Object.keys(LOADERS);

/** A data set by its name, from `dataFolder` where it is not part of the project; downloaded where it can be. */
export async function loadDataset(
  name: string,
  dataFolder: string,
  progress?: Progress,
): Promise<DatasetSplit> {
  const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (load) return await load(dataFolder, progress);
  throw new UserError(
    `--dataset ${name}: there is no such data set; did you mean ${nearest(name, DATASETS)}? Known are ${
      DATASETS.join(", ")
    }`,
  );
}
