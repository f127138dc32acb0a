/** Classifies images with somebody's weights, as `predict` does. */
import { type Backend, OutOfMemory } from "../core/backend/backend.ts";
import { type Image, withChannels } from "../core/data/transforms/image.ts";
import { applyTransforms } from "../core/data/transforms/mod.ts";
import { UserError } from "../core/errors.ts";
import type { StateDict } from "../core/format/state_dict.ts";
import { topK } from "../core/metrics/predictions.ts";
import { loadStateDict, matchStateDict } from "../core/nn/match_state_dict.ts";
import { createPredictor } from "../core/predict/predictor.ts";
import { preparationOf, usualNormalize } from "../core/predict/preparation.ts";
import { models } from "../models/registry.ts";
import { fitNetwork, runOf } from "../models/weights_network.ts";

const TOP = 5;
/** Networks whose answers are classes, by name. */
export const classifiers = Object.entries(models).filter(([, { outputs }]) => outputs === undefined);

export interface Answer {
  readonly index: number;
  /** 0 … 1 */
  readonly probability: number;
}

export interface Classified {
  /** The likeliest first. */
  readonly answers: readonly Answer[];
  /** What the network took, without preparing the image. */
  readonly milliseconds: number;
}

export interface Classifier {
  readonly num_classes: number;
  classify(image: Image): Promise<Classified>;
  /** Gives the memory back. */
  dispose(): void;
}

/** The name of the network that the weights are of: as the file says, or the one that all of them fit; else undefined. */
export function recognise(dict: StateDict): string | undefined {
  const name = runOf(dict)?.model;
  if (name !== undefined) {
    if (classifiers.some(([known]) => known === name)) return name;
    throw new UserError(`${dict.file}: weights of ${name}, which is no classifier that this page knows`);
  }
  return classifiers.find((network) => fits(dict, network))?.[0];
}

function fits(dict: StateDict, network: typeof classifiers[number]): boolean {
  try {
    matchStateDict(fitNetwork(dict, network).model, dict);
    return true;
  } catch {
    return false;
  }
}

/**
 * Puts the weights, of the network `of` if that is known, into the network of that name. Throws `UserError` where they do not fit,
 * or memory does not do.
 */
export async function createClassifier(
  backend: Backend,
  dict: StateDict,
  name: string,
  of: string | undefined,
): Promise<Classifier> {
  const run = runOf(dict);
  const options = run?.model === name ? run.model_options : undefined;
  const { model, input } = fitNetwork(dict, [name, models[name]!], { options });
  const advice = of ? `choose ${of}, which they are of` : "choose the network that they are of";
  const matched = matchStateDict(model, dict, { advice });
  const [channels, height, width] = input;
  const images = { batch: 1, channels, height, width, ...usualNormalize(input, run) };
  const transforms = preparationOf(input, run);
  const predictor = plan(() => createPredictor({ backend, model, images }));
  loadStateDict(predictor.session, matched);
  const blank = { width, height, channels, data: new Uint8Array(height * width * channels) };
  // The first run also compiles what it needs.
  const [scores] = await predictor.predict([blank]);
  return {
    num_classes: scores!.length,
    async classify(image) {
      const prepared = applyTransforms(withChannels(image, channels), transforms, noDraws);
      const began = performance.now();
      const [probabilities] = await predictor.predict([prepared]);
      const milliseconds = performance.now() - began;
      const answers = topK(probabilities!, TOP).map((index) => {
        return { index, probability: probabilities![index]! };
      });
      return { answers, milliseconds };
    },
    dispose: () => predictor.session.dispose(),
  };
}

function noDraws(): never {
  throw new Error("an evaluation draws no random numbers");
}

function plan<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof OutOfMemory) throw new UserError(`The network ${error.message}.`);
    throw error;
  }
}
