/** What the server tells the page: all parts when it connects, then whichever have changed. */
import type { LogRow } from "../core/metrics/log.ts";

export interface State {
  readonly run: RunFacts;
  readonly status: Status;
  readonly now: Now;
  readonly history: Curves;
  readonly epochs: readonly LogRow[];
  readonly confusion: ConfusionCounts;
  readonly precision: ClassPrecision;
  readonly samples: readonly Sample[];
}

export interface RunFacts {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** What the network answers with. */
  readonly kind: "classes" | "boxes";
  readonly classes: readonly string[];
  /** Test images of which answers are shown. */
  readonly samples: readonly ShownImage[];
  readonly epochs: number;
  /** Steps in an epoch. */
  readonly steps: number;
}

/** What is true of a test image: its class, or its objects. */
export type ShownImage =
  & {
    readonly index: number;
    /** Where its picture is; the server of a run has it at `samples/INDEX.bmp`. */
    readonly picture?: string;
  }
  & (
    | { readonly label: number }
    | { readonly boxes: readonly ShownBox[] }
  );

export interface ShownBox {
  /** Left, top, right and bottom, as shares of the image. */
  readonly box: readonly [number, number, number, number];
  readonly label: number;
  /** Confidence of what was found. */
  readonly score?: number;
}

export interface Status {
  readonly phase: "training" | "testing" | "paused" | "finished" | "stopped" | "failed";
  /** What else there is to say of the end. */
  readonly text: string;
}

/** Where the run is; null where it is not known. */
export interface Now {
  /** Counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly loss: number | null;
  /** Of the epoch so far, 0 … 1. */
  readonly accuracy: number | null;
  readonly lr: number | null;
  readonly images_per_second: number | null;
  readonly seconds_left: number | null;
  readonly seconds: number;
}

/** Columns `time, loss, accuracy, lr, images_per_second`; each row is the mean of `stride` steps. */
export interface Curves {
  readonly stride: number;
  /** Rows before this one stay as they are. */
  readonly from: number;
  readonly rows: readonly (readonly (number | null)[])[];
}

/** Of classifiers; of detectors it tells only how far the test is. */
export interface ConfusionCounts {
  /** Of which evaluation; 0 before the first. */
  readonly epoch: number;
  /** Images tested so far, of how many. */
  readonly seen: number;
  readonly total: number;
  readonly right: number;
  /** `true, predicted, count, true, predicted, count, …` of those that are not 0. */
  readonly counts: readonly number[];
}

/** Of detectors, how good they are at each class. */
export interface ClassPrecision {
  /** 0 before the first evaluation. */
  readonly epoch: number;
  /** Average precision (0 … 1), null where there is nothing to find, and objects to find. */
  readonly classes: readonly { readonly ap: number | null; readonly objects: number }[];
}

/** What was answered to a test image. */
export type Sample =
  & { readonly index: number; readonly epoch: number }
  & (
    | { readonly predicted: number; readonly probability: number }
    | { readonly boxes: readonly ShownBox[] }
  );
