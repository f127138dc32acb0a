/**
 * The loss of YOLOv1 (Redmon et al. 2015, equation 3) and its gradient; an invocation a cell. Cells and targets as in
 * core/ops/yolo_loss.ts. Numbers: count (cells of all images), boxes, classes.
 */

const cell = `
const NO_OBJECT = -1;
const DOES_NOT_COUNT = -2;
const NO_CLASS = -3;
/** Under the root, so that its slope at 0 is finite. */
const EPSILON = 1e-6;

/** The class of a cell, or one of the numbers above. */
fn label_of(cell: u32) -> i32 {
  let given = read_target(5u * cell);
  if (!is_finite(given) || abs(given) > 1e6) { return NO_CLASS; }
  let label = i32(given);
  return select(NO_CLASS, label, f32(label) == given && label >= DOES_NOT_COUNT && label < i32(n.classes));
}

/** x, y, w, h of the object of a cell. */
fn wanted_of(cell: u32) -> vec4f {
  let at = 5u * cell + 1u;
  return vec4f(read_target(at), read_target(at + 1u), read_target(at + 2u), read_target(at + 3u));
}

/** x, y, w, h of the box whose confidence is at at. */
fn box_at(at: u32) -> vec4f {
  return vec4f(read_prediction(at + 1u), read_prediction(at + 2u), read_prediction(at + 3u), read_prediction(at + 4u));
}

/** sign(x) · √(|x| + ε) */
fn root(x: f32) -> f32 {
  if (x == 0.0) { return 0.0; }
  return select(1.0, -1.0, x < 0.0) * sqrt(abs(x) + EPSILON);
}

/** Its derivative; 0 at 0, as PyTorch has it. */
fn root_slope(x: f32) -> f32 {
  if (x == 0.0) { return 0.0; }
  return 0.5 / sqrt(abs(x) + EPSILON);
}

/** Intersection over union of two boxes (x, y, w, h); 0 where they share no area, NaN of NaN. */
fn iou(a: vec4f, b: vec4f) -> f32 {
  for (var i = 0; i < 4; i++) {
    if (is_nan(a[i])) { return a[i]; }
    if (is_nan(b[i])) { return b[i]; }
  }
  let sides = min(a.xy + a.zw / 2.0, b.xy + b.zw / 2.0) - max(a.xy - a.zw / 2.0, b.xy - b.zw / 2.0);
  if (sides.x <= 0.0 || sides.y <= 0.0) { return 0.0; }
  let shared_area = sides.x * sides.y;
  return shared_area / (a.z * a.w + b.z * b.w - shared_area);
}

/** Of the boxes from at on, the number of the one that overlaps most with wanted; of equals the first. */
fn responsible(at: u32, wanted: vec4f) -> u32 {
  var best = 0u;
  var most = -1.0;
  for (var box = 0u; box < n.boxes; box++) {
    let shared_area = iou(box_at(at + 5u * box), wanted);
    // So that it reaches the loss.
    if (is_nan(shared_area)) { return box; }
    if (shared_area > most) {
      best = box;
      most = shared_area;
    }
  }
  return best;
}
`;

/** The beginning of a kernel with a thread for each cell. */
const eachCell = `${cell}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = group_index(group) * LANES + lane;
  if (index >= n.count) { return; }
  let scores = index * (n.classes + 5u * n.boxes);
  let boxes = scores + n.classes;
  let label = label_of(index);
  let wanted = wanted_of(index);
`;

/** parts [5, cells]: what each cell adds to xy, wh, object, no-object and class, not yet weighted. */
export const cellLosses = `${eachCell}  var parts = array<f32, 5>();
  if (label != DOES_NOT_COUNT) {
    var chosen = n.boxes;
    if (label != NO_OBJECT) { chosen = responsible(boxes, wanted); }
    for (var i = 0u; i < n.boxes; i++) {
      let at = boxes + 5u * i;
      let confidence = read_prediction(at);
      if (i != chosen) {
        parts[3] += confidence * confidence;
      } else {
        let box = box_at(at);
        let off = box.xy - wanted.xy;
        let sides = vec2f(root(box.z), root(box.w)) - sqrt(wanted.zw);
        let gap = confidence - iou(box, wanted);
        parts[0] += dot(off, off);
        parts[1] += dot(sides, sides);
        parts[2] += gap * gap;
      }
    }
    if (label == NO_CLASS) { parts[4] = not_a_number(); }
    if (label != NO_OBJECT) {
      for (var i = 0u; i < n.classes; i++) {
        let off = read_prediction(scores + i) - select(0.0, 1.0, i32(i) == label);
        parts[4] += off * off;
      }
    }
  }
  for (var part = 0u; part < 5u; part++) { write_parts(part * n.count + index, parts[part]); }
}
`;

/** y [5] = factor · weight · Σ over the cells; loss = Σ y. Behind `reduceLanes`. Numbers: count, factor, coord, noobj (the weights). */
export const sumLosses = `
@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  for (var part = 0u; part < 5u; part++) {
    var own = 0.0;
    for (var i = lane; i < n.count; i += LANES) { own += read_parts(part * n.count + i); }
    let weight = select(select(1.0, n.noobj, part == 3u), n.coord, part <= 1u);
    let sum = sum_of(lane, own) * n.factor * weight;
    total += sum;
    if (lane == 0u) { write_y(part, sum); }
  }
  if (lane == 0u) { write_loss(0u, total); }
}
`;

/**
 * dprediction = dloss · factor · the derivative of the weighted sums. The IoU that confidence should be has no gradient.
 * Numbers besides: factor, coord, noobj.
 */
export const cellGradients = `${eachCell}  let scale = 2.0 * read_dloss(0u) * n.factor;
  let counts = select(1.0, 0.0, label == DOES_NOT_COUNT);
  let has_object = label > NO_OBJECT;
  var chosen = n.boxes;
  if (has_object) { chosen = responsible(boxes, wanted); }
  for (var i = 0u; i < n.boxes; i++) {
    let at = boxes + 5u * i;
    let confidence = read_prediction(at);
    var slope = vec4f();
    if (i == chosen) {
      let box = box_at(at);
      let sides = (vec2f(root(box.z), root(box.w)) - sqrt(wanted.zw)) * vec2f(root_slope(box.z), root_slope(box.w));
      slope = scale * n.coord * vec4f(box.xy - wanted.xy, sides);
      write_dx(at, scale * (confidence - iou(box, wanted)));
    } else {
      write_dx(at, counts * scale * n.noobj * confidence);
    }
    write_dx(at + 1u, slope.x);
    write_dx(at + 2u, slope.y);
    write_dx(at + 3u, slope.z);
    write_dx(at + 4u, slope.w);
  }
  for (var i = 0u; i < n.classes; i++) {
    let off = read_prediction(scores + i) - select(0.0, 1.0, i32(i) == label);
    write_dx(scores + i, select(0.0, scale * off, has_object));
  }
}
`;
