/** What is trained, and on what. */
import { DATASETS } from "../../host/datasets.ts";
import type { AnyModelOptions } from "../../models/registry.ts";
import { oneOf, text } from "../arguments.ts";
import { MODEL } from "../model.ts";

export interface SubjectSettings {
  readonly model: string;
  /** What the network's own flags set. */
  readonly model_options: AnyModelOptions;
  readonly dataset: string;
  readonly data: string;
}

export const subjectFlags = {
  model: text("NAME", MODEL),
  dataset: oneOf(DATASETS, "digits (come with Strata), mnist, cifar10, folder, boxes"),
  data: text("PATH", "your images; or where the data set is, or will be"),
};

export const subjectDefaults: SubjectSettings = {
  model: "resnet50",
  model_options: {},
  dataset: "digits",
  data: "data",
};
