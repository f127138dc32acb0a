/**
 * Max pooling of images [N, H, W, C] to [N, OH, OW, C].
 *
 * Windows come as tables, one an axis: of each output index two words, the first tap inside the image and the end
 * beyond the last; taps are `dilation` apart. For the gradient there are tables of each input index as well: the
 * first output index whose window reaches over it, and the end beyond the last.
 */
import { address, draw, integer } from "./abi";
import { finish } from "./epilogue";

/**
 * y = the greatest of each window, where (i32) = its place `row · W + column`, the first of equals. NaN counts as
 * greater than any number. Arguments: x, y, where (or 0), N, H, W, C, OH, OW, windows of rows, windows of columns,
 * dilation of rows, of columns.
 */
export function max_pool2d(args: usize, thread: i32): void {
  const x = address(args, 0), y = address(args, 1), where = address(args, 2);
  const height = integer(args, 4), width = integer(args, 5), channels = integer(args, 6);
  const outHeight = integer(args, 7), outWidth = integer(args, 8);
  const rows = address(args, 9), columns = address(args, 10);
  const rowStep = integer(args, 11), columnStep = integer(args, 12);
  const tasks = integer(args, 3) * outHeight;
  const pixel = <usize> channels << 2;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const image = x + <usize> (task / outHeight * height) * width * pixel;
    const window = rows + (<usize> (task % outHeight) << 3);
    const top = load<i32>(window), bottom = load<i32>(window, 4);
    for (let column = 0; column < outWidth; column++) {
      const left = load<i32>(columns + (<usize> column << 3)),
        right = load<i32>(columns + (<usize> column << 3), 4);
      const to = (<usize> task * outWidth + column) * pixel;
      // A dilated window may straddle a small image and hold none of it: it yields −∞ and nobody wins.
      const first = top < bottom && left < right ? top * width + left : -1;
      let c = 0;
      for (; c + 8 <= channels; c += 8) {
        const at = <usize> c << 2;
        let best0 = f32x4.splat(-f32.POSITIVE_INFINITY), best1 = best0;
        let where0 = i32x4.splat(first), where1 = where0;
        for (let h = top; h < bottom; h += rowStep) {
          for (let w = left; w < right; w += columnStep) {
            const here = h * width + w;
            const v0 = v128.load(image + <usize> here * pixel + at);
            const v1 = v128.load(image + <usize> here * pixel + at, 16);
            const wins0 = v128.or(f32x4.gt(v0, best0), f32x4.ne(v0, v0));
            const wins1 = v128.or(f32x4.gt(v1, best1), f32x4.ne(v1, v1));
            // Masks are all ones or all zeros, so the relaxed selection is exact.
            best0 = i32x4.relaxed_laneselect(v0, best0, wins0);
            best1 = i32x4.relaxed_laneselect(v1, best1, wins1);
            where0 = i32x4.relaxed_laneselect(i32x4.splat(here), where0, wins0);
            where1 = i32x4.relaxed_laneselect(i32x4.splat(here), where1, wins1);
          }
        }
        v128.store(y + to + at, best0);
        v128.store(y + to + at, best1, 16);
        if (where) {
          v128.store(where + to + at, where0);
          v128.store(where + to + at, where1, 16);
        }
      }
      for (; c < channels; c++) {
        const at = <usize> c << 2;
        let best = -f32.POSITIVE_INFINITY, place = first;
        for (let h = top; h < bottom; h += rowStep) {
          for (let w = left; w < right; w += columnStep) {
            const here = h * width + w;
            const v = load<f32>(image + <usize> here * pixel + at);
            if (v > best || v != v) {
              best = v;
              place = here;
            }
          }
        }
        store<f32>(y + to + at, best);
        if (where) store<i32>(where + to + at, place);
      }
    }
  }
}

/**
 * dx = the sum of dy over the windows that this place won.
 * Arguments: dy, where, dx, N, H, W, C, OH, OW, reach of rows, reach of columns, epilogue (or 0).
 */
export function max_pool2d_grad(args: usize, thread: i32): void {
  const dy = address(args, 0), where = address(args, 1), dx = address(args, 2);
  const height = integer(args, 4), width = integer(args, 5), channels = integer(args, 6);
  const outHeight = integer(args, 7), outWidth = integer(args, 8);
  const rows = address(args, 9), columns = address(args, 10), epilogue = address(args, 11);
  const tasks = integer(args, 3) * height;
  const pixel = <usize> channels << 2;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const row = task % height;
    const image = <usize> (task / height * outHeight) * outWidth * pixel;
    const top = load<i32>(rows + (<usize> row << 3)), bottom = load<i32>(rows + (<usize> row << 3), 4);
    for (let column = 0; column < width; column++) {
      const left = load<i32>(columns + (<usize> column << 3)),
        right = load<i32>(columns + (<usize> column << 3), 4);
      const here = row * width + column;
      const to = dx + (<usize> task * width + column) * pixel;
      let c = 0;
      for (; c + 8 <= channels; c += 8) {
        const at = <usize> c << 2;
        let sum0 = f32x4.splat(0), sum1 = f32x4.splat(0);
        for (let h = top; h < bottom; h++) {
          for (let w = left; w < right; w++) {
            const p = image + (<usize> h * outWidth + w) * pixel + at;
            const won0 = i32x4.eq(v128.load(where + p), i32x4.splat(here));
            const won1 = i32x4.eq(v128.load(where + p, 16), i32x4.splat(here));
            sum0 = f32x4.add(sum0, v128.and(v128.load(dy + p), won0));
            sum1 = f32x4.add(sum1, v128.and(v128.load(dy + p, 16), won1));
          }
        }
        v128.store(to + at, sum0);
        v128.store(to + at, sum1, 16);
      }
      for (; c < channels; c++) {
        const at = <usize> c << 2;
        let sum: f32 = 0;
        for (let h = top; h < bottom; h++) {
          for (let w = left; w < right; w++) {
            const p = image + (<usize> h * outWidth + w) * pixel + at;
            if (load<i32>(where + p) == here) sum += load<f32>(dy + p);
          }
        }
        store<f32>(to + at, sum);
      }
      if (epilogue) finish(epilogue, to, to, 0, channels);
    }
  }
}
