/** One point of a run, or the mean of several: what the curves over steps show. NaN stands for what is not known. */
export interface Point {
  /** In epochs: 1.5 is halfway through the second one. */
  readonly time: number;
  readonly loss: number;
  /** 0 … 1 */
  readonly accuracy: number;
  readonly lr: number;
  readonly images_per_second: number;
}

/** The curves of a run of any length, in bounded memory. */
export interface History {
  /** Steps that each point is the mean of. */
  readonly stride: number;
  readonly points: readonly Point[];
  add(point: Point): void;
}

/** Keeps fewer than `limit` points: at that many, neighbours become one, their mean. */
export function createHistory(limit = 2000): History {
  let stride = 1;
  let points: Point[] = [];
  let pending: Point[] = [];
  return {
    get stride() {
      return stride;
    },
    get points() {
      return points;
    },
    add(point) {
      pending.push(point);
      if (pending.length < stride) return;
      points.push(mean(pending));
      pending = [];
      if (points.length < limit) return;
      points = Array.from({ length: limit / 2 }, (_, i) => mean(points.slice(2 * i, 2 * i + 2)));
      stride *= 2;
    },
  };
}

function mean(points: readonly Point[]): Point {
  const of = (name: keyof Point) => {
    const known = points.map((point) => point[name]).filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  return {
    time: of("time"),
    loss: of("loss"),
    accuracy: of("accuracy"),
    lr: of("lr"),
    images_per_second: of("images_per_second"),
  };
}
