/**
 * The loss of YOLOv1 (Redmon et al. 2015, equation 3) and its gradient.
 *
 * A cell of the prediction is C class scores, then B boxes of (confidence, x, y, w, h); a cell of the target is (class,
 * x, y, w, h) of its object, with class −1 where there is none and −2 where the cell does not count at all. Any other
 * class makes the loss NaN, which stops a training. All lengths are in cells. A task is one image, computed in f64.
 */
import { address, draw, integer, number } from "./abi";

/** Numbers of a box, and of a target's cell. */
const BOX: i32 = 5;
const BOX_BYTES: usize = 20;
const NO_OBJECT: i32 = -1;
const DOES_NOT_COUNT: i32 = -2;
const NO_CLASS: i32 = -3;
/** Under the root, so that its slope at 0 is finite. */
const EPSILON: f64 = 1e-6;

/** Parts of the loss, in their order. */
const XY: i32 = 0;
const WH: i32 = 1;
const OBJECT: i32 = 2;
const NO_OBJECT_PART: i32 = 3;
const CLASS: i32 = 4;
const PARTS: i32 = 5;

function at(from: usize, index: i32): f64 {
  return <f64> load<f32>(from + (<usize> index << 2));
}

function put(to: usize, index: i32, value: f64): void {
  store<f32>(to + (<usize> index << 2), <f32> value);
}

/** The class of a target's cell, or one of the numbers above. */
function labelOf(target: usize, classes: i32): i32 {
  const given = at(target, 0), label = <i32> given;
  return <f64> label == given && label >= DOES_NOT_COUNT && label < classes ? label : NO_CLASS;
}

/** sign(x) · √(|x| + ε) */
function root(x: f64): f64 {
  return x == 0 ? 0 : copysign(sqrt(abs(x) + EPSILON), x);
}

/** Its derivative; 0 at 0, as PyTorch has it. */
function rootSlope(x: f64): f64 {
  return x == 0 ? 0 : 0.5 / sqrt(abs(x) + EPSILON);
}

/** How far two spans overlap that are given by middle and length; a length below 0 is none. */
function overlap(x: f64, w: f64, otherX: f64, otherW: f64): f64 {
  return min(x + w / 2, otherX + otherW / 2) - max(x - w / 2, otherX - otherW / 2);
}

/** Intersection over union of the boxes at `a` and `b`, each (x, y, w, h); 0 where they share no area. */
function iou(a: usize, b: usize): f64 {
  const width = overlap(at(a, 0), at(a, 2), at(b, 0), at(b, 2));
  const height = overlap(at(a, 1), at(a, 3), at(b, 1), at(b, 3));
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (at(a, 2) * at(a, 3) + at(b, 2) * at(b, 3) - shared);
}

/** Of `boxes` (confidence, x, y, w, h) the one that overlaps most with `wanted` (x, y, w, h); of equals the first. */
function responsible(boxes: usize, count: i32, wanted: usize): i32 {
  let best = 0, most: f64 = -1;
  for (let box = 0; box < count; box++) {
    const shared = iou(boxes + <usize> box * BOX_BYTES + 4, wanted);
    // So that it reaches the loss.
    if (isNaN(shared)) return box;
    if (shared > most) {
      best = box;
      most = shared;
    }
  }
  return best;
}

/** Adds x to a part of an image's loss. */
function gain(parts: usize, part: i32, x: f64): void {
  const place = parts + (<usize> part << 3);
  store<f64>(place, load<f64>(place) + x);
}

/**
 * parts (f64 [N, 5]) = each image's sums of squares, not yet weighted:
 * xy (x − x̂)² + (y − ŷ)², wh (√w − √ŵ)² + (√h − √ĥ)², object (c − IoU)², each of the responsible box; no-object c² of
 * every other box; class Σ (p − p̂)² of cells with an object.
 * Arguments: prediction, target, parts, images, cells of an image, boxes of a cell, classes.
 */
export function yolo_loss(args: usize, thread: i32): void {
  const prediction = address(args, 0), target = address(args, 1), parts = address(args, 2);
  const images = integer(args, 3), cells = integer(args, 4), boxes = integer(args, 5);
  const classes = integer(args, 6);
  const pitch = <usize> (classes + BOX * boxes) << 2;
  for (let image = draw(args); image < images; image = draw(args)) {
    const sums = parts + (<usize> (image * PARTS) << 3);
    memory.fill(sums, 0, PARTS << 3);
    for (let cell = image * cells, end = cell + cells; cell < end; cell++) {
      cellLoss(prediction + <usize> cell * pitch, target + <usize> cell * BOX_BYTES, sums, boxes, classes);
    }
  }
}

function cellLoss(scores: usize, target: usize, sums: usize, count: i32, classes: i32): void {
  const label = labelOf(target, classes), boxes = scores + (<usize> classes << 2), wanted = target + 4;
  if (label == DOES_NOT_COUNT) return;
  const chosen = label == NO_OBJECT ? -1 : responsible(boxes, count, wanted);
  for (let i = 0; i < count; i++) {
    const box = boxes + <usize> i * BOX_BYTES, confidence = at(box, 0);
    if (i != chosen) {
      gain(sums, NO_OBJECT_PART, confidence * confidence);
    } else {
      const dx = at(box, 1) - at(wanted, 0), dy = at(box, 2) - at(wanted, 1);
      const dw = root(at(box, 3)) - sqrt(at(wanted, 2)), dh = root(at(box, 4)) - sqrt(at(wanted, 3));
      const dc = confidence - iou(box + 4, wanted);
      gain(sums, XY, dx * dx + dy * dy);
      gain(sums, WH, dw * dw + dh * dh);
      gain(sums, OBJECT, dc * dc);
    }
  }
  if (label == NO_OBJECT) return;
  if (label == NO_CLASS) gain(sums, CLASS, NaN);
  for (let i = 0; i < classes; i++) {
    const off = at(scores, i) - (i == label ? 1 : 0);
    gain(sums, CLASS, off * off);
  }
}

/**
 * y [5] = factor · weight · Σ over the images, in order, by one thread; loss = Σ y.
 * Arguments: parts (f64 [N, 5]), loss, y, images, factor, weight of xy and wh, weight of no-object.
 */
export function sum_yolo_losses(args: usize, thread: i32): void {
  const parts = address(args, 0), loss = address(args, 1), y = address(args, 2), images = integer(args, 3);
  const factor = <f64> number(args, 4), coord = <f64> number(args, 5), noobj = <f64> number(args, 6);
  if (draw(args) != 0) return;
  let total: f64 = 0;
  for (let part = 0; part < PARTS; part++) {
    let sum: f64 = 0;
    for (let image = 0; image < images; image++) {
      sum += load<f64>(parts + (<usize> (image * PARTS + part) << 3));
    }
    sum *= factor * (part <= WH ? coord : part == NO_OBJECT_PART ? noobj : 1);
    put(y, part, sum);
    total += sum;
  }
  put(loss, 0, total);
}

/**
 * dprediction = dloss · factor · the derivative of the weighted sums. The IoU that confidence should be has no gradient.
 * Arguments: dloss [1], prediction, target, dprediction, images, cells of an image, boxes of a cell, classes, factor,
 * weight of xy and wh, weight of no-object.
 */
export function yolo_loss_grad(args: usize, thread: i32): void {
  const dloss = address(args, 0), prediction = address(args, 1), target = address(args, 2);
  const dprediction = address(args, 3), images = integer(args, 4), cells = integer(args, 5);
  const boxes = integer(args, 6), classes = integer(args, 7);
  const pitch = <usize> (classes + BOX * boxes) << 2;
  const scale = 2 * <f64> load<f32>(dloss) * <f64> number(args, 8);
  const coord = scale * <f64> number(args, 9), noobj = scale * <f64> number(args, 10);
  for (let image = draw(args); image < images; image = draw(args)) {
    for (let cell = image * cells, end = cell + cells; cell < end; cell++) {
      const place = <usize> cell * pitch, wanted = target + <usize> cell * BOX_BYTES;
      cellGradient(prediction + place, wanted, dprediction + place, boxes, classes, scale, coord, noobj);
    }
  }
}

function cellGradient(
  scores: usize,
  target: usize,
  grad: usize,
  count: i32,
  classes: i32,
  scale: f64,
  coord: f64,
  noobj: f64,
): void {
  const label = labelOf(target, classes), wanted = target + 4, offset = <usize> classes << 2;
  const counts: f64 = label == DOES_NOT_COUNT ? 0 : 1, hasObject = label > NO_OBJECT;
  const chosen = hasObject ? responsible(scores + offset, count, wanted) : -1;
  for (let i = 0; i < count; i++) {
    const box = scores + offset + <usize> i * BOX_BYTES, to = grad + offset + <usize> i * BOX_BYTES;
    const confidence = at(box, 0);
    if (i == chosen) {
      const shared = iou(box + 4, wanted);
      putRoot(to, 3, at(box, 3), at(wanted, 2), coord);
      putRoot(to, 4, at(box, 4), at(wanted, 3), coord);
      put(to, 1, coord * (at(box, 1) - at(wanted, 0)));
      put(to, 2, coord * (at(box, 2) - at(wanted, 1)));
      put(to, 0, scale * (confidence - shared));
    } else {
      put(to, 0, counts * noobj * confidence);
      memory.fill(to + 4, 0, BOX_BYTES - 4);
    }
  }
  for (let i = 0; i < classes; i++) {
    put(grad, i, hasObject ? scale * (at(scores, i) - (i == label ? 1 : 0)) : 0);
  }
}

/** The gradient to a width or height, whose roots are compared. */
function putRoot(to: usize, index: i32, x: f64, wanted: f64, scale: f64): void {
  put(to, index, scale * (root(x) - sqrt(wanted)) * rootSlope(x));
}
