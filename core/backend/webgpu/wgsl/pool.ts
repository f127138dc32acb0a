/**
 * Pools over windows of images [N, H, W, C], giving [N, OH, OW, C]. T is a number or four of them; `channels` counts T.
 *
 * Windows come as tables, one an axis: of each output three words, its first place inside the image, the end beyond the last, and
 * how many count for a mean. For gradients there are tables of each input place as well: the first output whose window
 * reaches over it, and the end beyond the last. Numbers: count (of T), height, width, channels, out_height, out_width.
 */
import type { Width } from "./formula.ts";

const integers = (width: Width) => width === "f32" ? "i32" : "vec4i";
const booleans = (width: Width) => width === "f32" ? "bool" : "vec4<bool>";

const entry = `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group_index(group) * LANES + lane;
  if (i >= n.count) { return; }
  let channel = i % n.channels;
`;

const outputPlace = `
  let column = (i / n.channels) % n.out_width;
  let line = i / n.channels / n.out_width;
  let row = line % n.out_height;
  let image = (line / n.out_height) * n.height * n.width;
  let top = read_rows(3u * row);
  let bottom = read_rows(3u * row + 1u);
  let left = read_columns(3u * column);
  let right = read_columns(3u * column + 1u);
`;

const inputPlace = `
  let column = (i / n.channels) % n.width;
  let line = i / n.channels / n.width;
  let row = line % n.height;
  let image = (line / n.height) * n.out_height * n.out_width;
  let top = read_down(2u * row);
  let bottom = read_down(2u * row + 1u);
  let left = read_across(2u * column);
  let right = read_across(2u * column + 1u);
`;

/**
 * y = the greatest of each window, place (i32) = where it is, row · W + column, the first of equals. NaN counts as greater than
 * any number. Numbers besides: row_step, column_step (dilation).
 */
export function maxPool(width: Width, withPlaces: boolean): string {
  const [whole, truth] = [integers(width), booleans(width)];
  const isNan = width === "f32"
    ? "return is_nan(x);"
    : "return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);";
  return `
fn broken(x: ${width}) -> ${truth} { ${isNan} }
${entry}${outputPlace}
  var least = 0xff800000u;
  var best = ${width}(bitcast<f32>(least));
  // A dilated window may straddle a small image and hold none of it: it yields −∞ and nobody wins.
  var place = ${whole}(select(-1, top * i32(n.width) + left, top < bottom && left < right));
  for (var h = top; h < bottom; h += i32(n.row_step)) {
    for (var w = left; w < right; w += i32(n.column_step)) {
      let here = h * i32(n.width) + w;
      let x = read_x((image + u32(here)) * n.channels + channel);
      let wins = (x > best) | broken(x);
      best = select(best, x, wins);
      place = select(place, ${whole}(here), wins);
    }
  }
  write_y(i, best);
  ${withPlaces ? "write_place(i, place);" : ""}
}
`;
}

/** dx = the sum of dy over the windows that this place won, then the epilogue. */
export function maxPoolGrad(width: Width, finish: string): string {
  return `${finish}${entry}${inputPlace}
  let here = ${integers(width)}(i32(row * n.width + column));
  var sum = ${width}();
  for (var h = top; h < bottom; h++) {
    for (var w = left; w < right; w++) {
      let at = (image + u32(h) * n.out_width + u32(w)) * n.channels + channel;
      sum += select(${width}(), read_dy(at), read_place(at) == here);
    }
  }
  write_dx(i, finish(sum, i, channel));
}
`;
}

/** y = Σ x / (rows that count · columns that count); rows first, which keeps the error small in large windows. */
export function avgPool(width: Width): string {
  return `${entry}${outputPlace}
  var sum = ${width}();
  for (var h = top; h < bottom; h++) {
    var part = ${width}();
    for (var w = left; w < right; w++) {
      part += read_x((image + u32(h) * n.width + u32(w)) * n.channels + channel);
    }
    sum += part;
  }
  write_y(i, sum / ${width}(f32(read_rows(3u * row + 2u) * read_columns(3u * column + 2u))));
}
`;
}

/** dx = Σ dy / divisor over the windows that hold the place, then the epilogue. */
export function avgPoolGrad(width: Width, finish: string): string {
  return `${finish}${entry}${inputPlace}
  var sum = ${width}();
  for (var h = top; h < bottom; h++) {
    for (var w = left; w < right; w++) {
      let divisor = f32(read_rows(3u * u32(h) + 2u) * read_columns(3u * u32(w) + 2u));
      sum += read_dy((image + u32(h) * n.out_width + u32(w)) * n.channels + channel) / ${width}(divisor);
    }
  }
  write_dx(i, finish(sum, i, channel));
}
`;
}
