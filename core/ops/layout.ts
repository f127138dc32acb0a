/** Ops that move numbers without changing them. */
import { f32 } from "../graph/graph.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import type { WithEpilogue } from "./epilogue.ts";
import { at, first, known, Misfit, type Op } from "./op.ts";

export interface ConcatAttrs {
  /** Axis along which the inputs are put one after another; not negative. */
  readonly dim: number;
}

/** Joins any number of values along `dim`; all other axes must agree. */
export const concat: Op<ConcatAttrs> = {
  infer(inputs, { dim }) {
    const head = first(inputs).shape;
    let extent = 0;
    for (const { shape } of inputs) {
      if (shape.length !== head.length || shape.some((e, axis) => axis !== dim && e !== head[axis])) {
        throw new Misfit(`${formatShape(shape)} does not fit beside ${formatShape(head)} along axis ${dim}`);
      }
      extent += at(shape, dim);
    }
    return [f32(head.map((e, axis) => axis === dim ? extent : e))];
  },
  gradient(emit, { inputs, attrs: { dim } }, [dy], needs) {
    let start = 0;
    return inputs.map(({ shape }, index) => {
      const length = at(shape, dim);
      const part = needs[index] ? emit("slice", [known(dy)], { dim, start, length })[0] : undefined;
      start += length;
      return part;
    });
  },
};

export interface SliceAttrs extends WithEpilogue {
  readonly dim: number;
  readonly start: number;
  readonly length: number;
}

/** Elements `start … start + length − 1` along `dim`. */
export const slice: Op<SliceAttrs> = {
  infer(inputs, { dim, start, length }) {
    const { shape } = first(inputs);
    if (start < 0 || length < 1 || start + length > at(shape, dim)) {
      throw new Misfit(`${start} … ${start + length - 1} is not within axis ${dim} of ${formatShape(shape)}`);
    }
    return [f32(shape.map((e, axis) => axis === dim ? length : e))];
  },
};

/** The same numbers, in logical (row-major) order, under another shape. Flatten is one of these. */
export const reshape: Op<{ readonly shape: Shape }> = {
  infer(inputs, { shape }) {
    const x = first(inputs).shape;
    if (sizeOf(x) !== sizeOf(shape)) {
      throw new Misfit(`${sizeOf(x)} numbers of ${formatShape(x)} do not fill ${formatShape(shape)}`);
    }
    return [f32(shape)];
  },
  gradient: (emit, { inputs: [x] }, [dy]) => [emit("reshape", [known(dy)], { shape: known(x).shape })[0]],
};

/** An image `[N, C, …]` as the row `[N, …·C]`: place after place, all channels of each. */
export const flatten_channels_last: Op<Record<never, never>> = {
  infer(inputs) {
    const { shape } = first(inputs);
    return [f32([at(shape, 0), sizeOf(shape.slice(1))])];
  },
  gradient: (emit, { inputs: [x] }, [dy]) => [
    emit("unflatten_channels_last", [known(dy)], { shape: known(x).shape })[0],
  ],
};

/** The way back, to an image of this shape. */
export const unflatten_channels_last: Op<{ readonly shape: Shape }> = {
  infer: (_, { shape }) => [f32(shape)],
  gradient: (emit, _, [dy]) => [emit("flatten_channels_last", [known(dy)], {})[0]],
};
