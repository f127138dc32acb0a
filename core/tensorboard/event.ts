/** TensorBoard's events: scalars, pictures and histograms under tags, as protocol buffers of `event.proto`. */
import protobuf from "protobufjs/light.js";
import type { Histogram } from "./histogram.ts";

/** The parts of TensorFlow's event.proto and summary.proto that are written here. */
const schema = protobuf.Root.fromJSON({
  nested: {
    Event: {
      oneofs: { what: { oneof: ["file_version", "summary", "session_log"] } },
      fields: {
        wall_time: { type: "double", id: 1 },
        step: { type: "int64", id: 2 },
        file_version: { type: "string", id: 3 },
        summary: { type: "Summary", id: 5 },
        session_log: { type: "SessionLog", id: 7 },
      },
    },
    SessionLog: { fields: { status: { type: "int32", id: 1 } } },
    Summary: { fields: { value: { rule: "repeated", type: "Value", id: 1 } } },
    Value: {
      oneofs: { value: { oneof: ["simple_value", "image", "histo"] } },
      fields: {
        tag: { type: "string", id: 1 },
        simple_value: { type: "float", id: 2 },
        image: { type: "Image", id: 4 },
        histo: { type: "HistogramProto", id: 5 },
      },
    },
    Image: {
      fields: {
        height: { type: "int32", id: 1 },
        width: { type: "int32", id: 2 },
        colorspace: { type: "int32", id: 3 },
        encoded_image_string: { type: "bytes", id: 4 },
      },
    },
    HistogramProto: {
      fields: {
        min: { type: "double", id: 1 },
        max: { type: "double", id: 2 },
        num: { type: "double", id: 3 },
        sum: { type: "double", id: 4 },
        sum_squares: { type: "double", id: 5 },
        bucket_limit: { rule: "repeated", type: "double", id: 6, options: { packed: true } },
        bucket: { rule: "repeated", type: "double", id: 7, options: { packed: true } },
      },
    },
  },
});

const Event = schema.lookupType("Event");

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** Values by tag, such as `test/loss`. */
export interface Summary {
  readonly scalars?: Readonly<Record<string, number>>;
  readonly pictures?: Readonly<Record<string, Picture>>;
  readonly histograms?: ReadonlyMap<string, Histogram>;
}

const RGB = 3;
/** `SessionLog.START`: readers drop what other files have from this step on. */
const START = 1;

/** How a file begins. `seconds` are since 1970. */
export function versionEvent(seconds: number): Uint8Array {
  return Event.encode({ wall_time: seconds, file_version: "brain.Event:2" }).finish();
}

/** Says that from `step` on a run goes on here: what was logged of later steps is void. */
export function startEvent(step: number, seconds: number): Uint8Array {
  return Event.encode({ wall_time: seconds, step, session_log: { status: START } }).finish();
}

export function summaryEvent(summary: Summary, step: number, seconds: number): Uint8Array {
  const { scalars = {}, pictures = {}, histograms = new Map<string, Histogram>() } = summary;
  const value = [
    ...Object.entries(scalars).map(([tag, simple_value]) => ({ tag, simple_value })),
    ...Object.entries(pictures).map(([tag, { width, height, png }]) => ({
      tag,
      image: { width, height, colorspace: RGB, encoded_image_string: png },
    })),
    ...[...histograms].map(([tag, { min, max, count, sum, sumOfSquares, limits, counts }]) => ({
      tag,
      histo: {
        min,
        max,
        num: count,
        sum,
        sum_squares: sumOfSquares,
        bucket_limit: limits,
        bucket: counts,
      },
    })),
  ];
  return Event.encode({ wall_time: seconds, step, summary: { value } }).finish();
}
