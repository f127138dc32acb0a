/** Which data set is meant where files of settings name one, and the command line a folder. */
import { datasetIn } from "../host/datasets.ts";

export interface Named {
  readonly dataset?: string | undefined;
  readonly data?: string | undefined;
}

/** That of the files, unless images of one's own lie in the folder: nothing is downloaded among them unasked. */
export async function datasetOf(files: Named, { dataset, data }: Named): Promise<string | undefined> {
  if (dataset !== undefined || data === undefined || files.dataset === undefined) {
    return dataset ?? files.dataset;
  }
  const found = await datasetIn(data, files.dataset);
  if (found !== files.dataset) {
    console.error(
      `Note: --data ${data} has no ${files.dataset}, but folders of images: these are taken; ` +
        `--dataset ${files.dataset} says otherwise`,
    );
  }
  return found;
}
