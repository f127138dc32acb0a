/** From settings to what a trainer is made of: the network, the data, what is done with both. */
import type { Backend } from "../core/backend/backend.ts";
import type { AnySplit } from "../host/datasets.ts";
import { overfitTo } from "../core/data/overfit.ts";
import { isDetectionModel } from "../core/detect/model.ts";
import { UserError } from "../core/errors.ts";
import { type MatchedStateDict, matchStateDict } from "../core/nn/match_state_dict.ts";
import { type Module, namedParameters, type Parameter } from "../core/nn/module.ts";
import type { ParameterRule } from "../core/optim/optimizer.ts";
import { belongsTo, freeze, headOf } from "../core/train/head.ts";
import { stepsOf } from "../core/train/progress.ts";
import { taskOf } from "../core/train/task_of.ts";
import type { TrainerOptions } from "../core/train/trainer.ts";
import { findWeights } from "../host/run_folder.ts";
import { readStateDict } from "../host/weights.ts";
import type { ModelEntry } from "../models/registry.ts";
import { ALL_BUT_HEAD } from "./settings/finetune.ts";
import { limitsOf } from "./settings/limits.ts";
import { learningRate, optimizerOf } from "./settings/schedule.ts";
import type { Settings } from "./settings/settings.ts";

export interface Prepared {
  readonly options: TrainerOptions;
  /** Of the network, those of the layer that scores the classes. */
  readonly head: ReadonlySet<string>;
}

/** Makes the network for the data, with what is frozen, and all else that a trainer takes. */
export function prepare(
  settings: Settings,
  entry: ModelEntry,
  given: AnySplit,
  backend: Backend,
): Prepared {
  const { batch_size, seed, overfit_batches, accumulate, limit_batches } = settings;
  const { mixup, cutmix, label_smoothing, lambda_coord, lambda_noobj } = settings;
  const data = overfit_batches > 0 ? overfitTo(given, overfit_batches * batch_size, seed) : given;
  const { classes, channels, height, width } = data.train;
  const create = (num_classes: number) =>
    entry.create({
      ...settings.model_options,
      num_classes,
      in_channels: channels,
      input_size: [height, width],
    });
  const model = create(classes.length);
  const mix = mixup > 0 || cutmix > 0 ? { mixup, cutmix } : undefined;
  const head = headOf(create, classes.length);
  freezeLayers(model, settings, head);
  const epoch = { data, batch_size, accumulate, limit_batches };
  return {
    head,
    options: {
      backend,
      model,
      ...epoch,
      optimizer: optimizerOf(settings),
      lr: learningRate(settings, stepsOf(epoch) / accumulate),
      task: taskOf(model, { label_smoothing, mix, lambda_coord, lambda_noobj }),
      seed,
      rules: rulesOf(settings, head),
      clip_grad: settings.clip_grad,
      ema_decay: settings.ema ? settings.ema_decay : 0,
      ...limitsOf(settings),
    },
  };
}

function freezeLayers(
  model: Module,
  { freeze: layers, model: name }: Settings,
  head: ReadonlySet<string>,
): void {
  if (layers.length === 0) return;
  if (layers.includes(ALL_BUT_HEAD)) {
    expectHead(head, "--freeze", name);
    freeze(model, (parameter) => !head.has(parameter));
  } else freeze(model, belongsTo(model, layers));
  if ([...namedParameters(model).values()].some(({ requires_grad }) => requires_grad)) return;
  throw new UserError(`--freeze ${layers.join(",")}: nothing is left to train`);
}

/** How single parameters are trained. */
function rulesOf(
  { lr, lr_head, no_wd_on_norm, model }: Settings,
  head: ReadonlySet<string>,
): (name: string, parameter: Parameter) => ParameterRule {
  if (lr_head > 0) expectHead(head, "--lr-head", model);
  return (name, { shape }) => ({
    ...(lr_head > 0 && head.has(name) ? { lr_scale: lr_head / lr } : {}),
    // Vectors are what norms have, and biases.
    ...(no_wd_on_norm && shape.length <= 1 ? { weight_decay: 0 } : {}),
  });
}

function expectHead(head: ReadonlySet<string>, flag: string, model: string): void {
  if (head.size > 0) return;
  throw new UserError(`${flag}: ${model} has no head: no layer of it depends on the number of classes`);
}

/** Reads the weights to begin with, and tells which fit. */
export async function readPretrained(
  { pretrained, partial }: Settings,
  { options, head }: Prepared,
): Promise<MatchedStateDict> {
  const { model } = options;
  const body = isDetectionModel(model) ? model.body : undefined;
  const matched = matchStateDict(model, await readStateDict(await findWeights(pretrained)), {
    partial,
    head,
    body,
  });
  const { tensors, left } = matched;
  const shown = left.slice(0, 6).join(", ") + (left.length > 6 ? " and more" : "");
  console.log(
    `Weights of ${tensors.size} tensors from ${pretrained}` +
      (left.length > 0 ? `; ${left.length} begin anew: ${shown}` : ""),
  );
  return matched;
}
