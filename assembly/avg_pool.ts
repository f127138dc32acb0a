/**
 * Means over windows of images [N, H, W, C], giving [N, OH, OW, C]: average and adaptive average pooling.
 *
 * Windows come as tables, one an axis: of each output index three words, the first row (or column) inside the image,
 * the end beyond the last, and how many count for the divisor. For the gradient there are tables of each input index
 * as well: the first output index whose window holds it, and the end beyond the last.
 */
import { address, draw, integer } from "./abi";
import { finish } from "./epilogue";

/** Bytes of an entry in a table of windows. */
const WINDOW: usize = 12;

/**
 * y = Σ x / (rows that count · columns that count). Rows are added first and then their sums, which keeps the error
 * small in large windows. Arguments: x, y, N, H, W, C, OH, OW, windows of rows, windows of columns.
 */
export function avg_pool2d(args: usize, thread: i32): void {
  const x = address(args, 0), y = address(args, 1);
  const height = integer(args, 3), width = integer(args, 4), channels = integer(args, 5);
  const outHeight = integer(args, 6), outWidth = integer(args, 7);
  const rows = address(args, 8), columns = address(args, 9);
  const tasks = integer(args, 2) * outHeight;
  const pixel = <usize> channels << 2, line = <usize> width * pixel;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const image = x + <usize> (task / outHeight * height) * line;
    const window = rows + <usize> (task % outHeight) * WINDOW;
    const top = image + <usize> load<i32>(window) * line,
      bottom = image + <usize> load<i32>(window, 4) * line;
    for (let column = 0; column < outWidth; column++) {
      const across = columns + <usize> column * WINDOW;
      const left = <usize> load<i32>(across) * pixel, right = <usize> load<i32>(across, 4) * pixel;
      const divisor = <f32> (load<i32>(window, 8) * load<i32>(across, 8)), divisors = f32x4.splat(divisor);
      const to = y + (<usize> task * outWidth + column) * pixel;
      let c = 0;
      for (; c + 8 <= channels; c += 8) {
        const at = <usize> c << 2;
        let sum0 = f32x4.splat(0), sum1 = f32x4.splat(0);
        for (let row = top; row < bottom; row += line) {
          let part0 = f32x4.splat(0), part1 = f32x4.splat(0);
          for (let p = row + left; p < row + right; p += pixel) {
            part0 = f32x4.add(part0, v128.load(p + at));
            part1 = f32x4.add(part1, v128.load(p + at, 16));
          }
          sum0 = f32x4.add(sum0, part0);
          sum1 = f32x4.add(sum1, part1);
        }
        const mean0 = f32x4.div(sum0, divisors), mean1 = f32x4.div(sum1, divisors);
        v128.store(to + at, mean0);
        v128.store(to + at, mean1, 16);
      }
      for (; c < channels; c++) {
        const at = <usize> c << 2;
        let sum: f32 = 0;
        for (let row = top; row < bottom; row += line) {
          let part: f32 = 0;
          for (let p = row + left; p < row + right; p += pixel) part += load<f32>(p + at);
          sum += part;
        }
        store<f32>(to + at, sum / divisor);
      }
    }
  }
}

/**
 * dx = Σ dy / divisor over the windows that hold the pixel. Arguments: dy, dx, N, H, W, C, OH, OW, windows of rows,
 * windows of columns, reach of rows, reach of columns, epilogue (or 0).
 */
export function avg_pool2d_grad(args: usize, thread: i32): void {
  const dy = address(args, 0), dx = address(args, 1);
  const height = integer(args, 3), width = integer(args, 4), channels = integer(args, 5);
  const outHeight = integer(args, 6), outWidth = integer(args, 7);
  const rows = address(args, 8), columns = address(args, 9);
  const rowReach = address(args, 10), columnReach = address(args, 11), epilogue = address(args, 12);
  const tasks = integer(args, 2) * height;
  const pixel = <usize> channels << 2;
  for (let task = draw(args); task < tasks; task = draw(args)) {
    const image = dy + <usize> (task / height * outHeight) * outWidth * pixel;
    const down = rowReach + (<usize> (task % height) << 3);
    const top = load<i32>(down), bottom = load<i32>(down, 4);
    for (let column = 0; column < width; column++) {
      const across = columnReach + (<usize> column << 3);
      const left = load<i32>(across), right = load<i32>(across, 4);
      const to = dx + (<usize> task * width + column) * pixel;
      let c = 0;
      for (; c + 8 <= channels; c += 8) {
        const at = <usize> c << 2;
        let sum0 = f32x4.splat(0), sum1 = f32x4.splat(0);
        for (let h = top; h < bottom; h++) {
          const deep = load<i32>(rows + <usize> h * WINDOW, 8);
          for (let w = left; w < right; w++) {
            const divisors = f32x4.splat(<f32> (deep * load<i32>(columns + <usize> w * WINDOW, 8)));
            const p = image + (<usize> h * outWidth + w) * pixel + at;
            sum0 = f32x4.add(sum0, f32x4.div(v128.load(p), divisors));
            sum1 = f32x4.add(sum1, f32x4.div(v128.load(p, 16), divisors));
          }
        }
        v128.store(to + at, sum0);
        v128.store(to + at, sum1, 16);
      }
      for (; c < channels; c++) {
        const at = <usize> c << 2;
        let sum: f32 = 0;
        for (let h = top; h < bottom; h++) {
          const deep = load<i32>(rows + <usize> h * WINDOW, 8);
          for (let w = left; w < right; w++) {
            const p = image + (<usize> h * outWidth + w) * pixel + at;
            sum += load<f32>(p) / <f32> (deep * load<i32>(columns + <usize> w * WINDOW, 8));
          }
        }
        store<f32>(to + at, sum);
      }
      if (epilogue) finish(epilogue, to, to, 0, channels);
    }
  }
}
