/** How data sets are loaded where a test does not care. */
import type { LoadOptions } from "../../host/datasets.ts";

/** Without random transforms; images of a folder become 3×16×16. */
export function plainOptions(data: string): LoadOptions {
  return {
    data,
    input: undefined,
    network: [3, 16, 16],
    hflip: 0,
    crop_padding: 0,
    no_aug: false,
    rand_augment: null,
    color_jitter: null,
    random_erase: 0,
    folder: {
      scale: [0.08, 1],
      resize: undefined,
      valSplit: undefined,
      seed: 0,
      maxPixels: 1e8,
      badImages: "skip",
      workers: 1,
      note: (line) => {
        throw new Error(line);
      },
    },
  };
}
