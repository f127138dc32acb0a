/**
 * Optimisers' steps, and what surrounds them, over all parameters in one pass: a ticket is a stretch of one parameter.
 *
 * `segments` is a table of eight words a parameter: first ticket, elements, weight decay (f32), factor of the learning
 * rate (f32), and the addresses of parameter, gradient and two states (0 where there is none).
 * `hyper` points at the f32 [8] that change from step to step, the learning rate first.
 * The first seven arguments are the same for all: hyper, loss (one number), segments, number of segments, number of
 * tickets, grain: the elements that a ticket stands for, and factor (one number), by which gradients are multiplied.
 * Where loss or factor is not finite, nothing changes.
 */
import { address, draw, integer, number } from "./abi";
import { loadPart, storePart } from "./part";

/** How many tickets there are: none where nothing may change. */
function ticketsOf(args: usize): i32 {
  const go = isFinite<f32>(load<f32>(address(args, 1))) && isFinite<f32>(load<f32>(address(args, 6)));
  return go ? integer(args, 4) : 0;
}

function factorOf(args: usize): v128 {
  return v128.load32_splat(address(args, 6));
}

/** The segment that a ticket belongs to: the last one that begins at or before it. */
function segmentOf(ticket: i32, segments: usize, count: i32): usize {
  let low = 0, high = count;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<i32>(segments + (<usize> middle << 5)) <= ticket) low = middle;
    else high = middle;
  }
  return segments + (<usize> low << 5);
}

// The fields of a segment.
function firstElement(segment: usize, ticket: i32, grain: i32): i32 {
  return (ticket - load<i32>(segment)) * grain;
}
function endElement(segment: usize, first: i32, grain: i32): i32 {
  return min(first + grain, load<i32>(segment, 4));
}
function decayOf(segment: usize): v128 {
  return v128.load32_splat(segment, 8);
}
function rateOf(segment: usize, hyper: usize): v128 {
  return f32x4.splat(load<f32>(hyper) * load<f32>(segment, 12));
}

/** p −= lr · (factor·g + decay·p). Arguments: the seven. hyper: [lr]. */
export function sgd(args: usize, thread: i32): void {
  const hyper = address(args, 0), segments = address(args, 2);
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  const factor = factorOf(args);
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const decay = decayOf(segment), rate = rateOf(segment, hyper);
    const parameter = load<usize>(segment, 16), gradient = load<usize>(segment, 20);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      const p = loadPart(parameter + at, left);
      const g = f32x4.add(f32x4.mul(factor, loadPart(gradient + at, left)), f32x4.mul(decay, p));
      storePart(parameter + at, f32x4.sub(p, f32x4.mul(rate, g)), left);
    }
  }
}

/**
 * With g = factor·gradient + decay·p: b = momentum·b + (1 − dampening)·g, in the first step b = g (whatever b was);
 * p −= lr · (nesterov ? g + momentum·b : b).
 * Arguments: the seven, momentum, 1 − dampening, nesterov (0 or 1). hyper: [lr, first step ? 1 : 0]. State: b.
 */
export function sgd_momentum(args: usize, thread: i32): void {
  const hyper = address(args, 0), segments = address(args, 2);
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  const factor = factorOf(args);
  const momentum = f32x4.splat(number(args, 7)), share = f32x4.splat(number(args, 8));
  const nesterov = integer(args, 9) != 0, begins = load<f32>(hyper, 4) != 0;
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const decay = decayOf(segment), rate = rateOf(segment, hyper);
    const parameter = load<usize>(segment, 16), gradient = load<usize>(segment, 20);
    const buffer = load<usize>(segment, 24);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      const p = loadPart(parameter + at, left);
      const g = f32x4.add(f32x4.mul(factor, loadPart(gradient + at, left)), f32x4.mul(decay, p));
      let b = g;
      if (!begins) b = f32x4.add(f32x4.mul(momentum, loadPart(buffer + at, left)), f32x4.mul(share, g));
      storePart(buffer + at, b, left);
      const direction = nesterov ? f32x4.add(g, f32x4.mul(momentum, b)) : b;
      storePart(parameter + at, f32x4.sub(p, f32x4.mul(rate, direction)), left);
    }
  }
}

/**
 * With g = factor·gradient: m = β1·m + (1 − β1)·g, v = β2·v + (1 − β2)·g², p −= lr / c1 · m / (√v / √c2 + eps).
 * Weight decay adds decay·p to g, or if decoupled first takes lr·decay·p off p.
 * Arguments: the seven, β1, 1 − β1, β2, 1 − β2, eps, decoupled (0 or 1). hyper: [lr, c1, c2]. States: m, v.
 */
export function adam(args: usize, thread: i32): void {
  const hyper = address(args, 0), segments = address(args, 2);
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  const factor = factorOf(args);
  const beta1 = f32x4.splat(number(args, 7)), share1 = f32x4.splat(number(args, 8));
  const beta2 = f32x4.splat(number(args, 9)), share2 = f32x4.splat(number(args, 10));
  const eps = f32x4.splat(number(args, 11)), decoupled = integer(args, 12) != 0;
  const correction1 = v128.load32_splat(hyper, 4), root2 = f32x4.sqrt(v128.load32_splat(hyper, 8));
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const decay = decayOf(segment), rate = rateOf(segment, hyper);
    const step = f32x4.div(rate, correction1);
    // Of the two decays one is 0.
    const shrink = decoupled ? f32x4.mul(rate, decay) : f32x4.splat(0);
    const coupled = decoupled ? f32x4.splat(0) : decay;
    const parameter = load<usize>(segment, 16), gradient = load<usize>(segment, 20);
    const mean = load<usize>(segment, 24), square = load<usize>(segment, 28);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      let p = loadPart(parameter + at, left);
      const g = f32x4.add(f32x4.mul(factor, loadPart(gradient + at, left)), f32x4.mul(coupled, p));
      p = f32x4.sub(p, f32x4.mul(shrink, p));
      const m = f32x4.add(f32x4.mul(beta1, loadPart(mean + at, left)), f32x4.mul(share1, g));
      const v = f32x4.add(f32x4.mul(beta2, loadPart(square + at, left)), f32x4.mul(share2, f32x4.mul(g, g)));
      storePart(mean + at, m, left);
      storePart(square + at, v, left);
      const scale = f32x4.add(f32x4.div(f32x4.sqrt(v), root2), eps);
      storePart(parameter + at, f32x4.sub(p, f32x4.mul(step, f32x4.div(m, scale))), left);
    }
  }
}

/**
 * With g = factor·gradient + decay·p: v = alpha·v + (1 − alpha)·g², u = g / (√v + eps); with a buffer
 * b = momentum·b + u and p −= lr·b, without p −= lr·u.
 * Arguments: the seven, alpha, 1 − alpha, eps, momentum. hyper: [lr]. States: v, and b where there is momentum.
 */
export function rmsprop(args: usize, thread: i32): void {
  const hyper = address(args, 0), segments = address(args, 2);
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  const factor = factorOf(args);
  const alpha = f32x4.splat(number(args, 7)), share = f32x4.splat(number(args, 8));
  const eps = f32x4.splat(number(args, 9)), momentum = f32x4.splat(number(args, 10));
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const decay = decayOf(segment), rate = rateOf(segment, hyper);
    const parameter = load<usize>(segment, 16), gradient = load<usize>(segment, 20);
    const square = load<usize>(segment, 24), buffer = load<usize>(segment, 28);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      const p = loadPart(parameter + at, left);
      const g = f32x4.add(f32x4.mul(factor, loadPart(gradient + at, left)), f32x4.mul(decay, p));
      const v = f32x4.add(f32x4.mul(alpha, loadPart(square + at, left)), f32x4.mul(share, f32x4.mul(g, g)));
      storePart(square + at, v, left);
      let u = f32x4.div(g, f32x4.add(f32x4.sqrt(v), eps));
      if (buffer != 0) {
        u = f32x4.add(f32x4.mul(momentum, loadPart(buffer + at, left)), u);
        storePart(buffer + at, u, left);
      }
      storePart(parameter + at, f32x4.sub(p, f32x4.mul(rate, u)), left);
    }
  }
}

/**
 * sum = keep · sum + gradient; where keep is 0, the sum before is not looked at. Arguments: the seven, with keep in the
 * place of hyper; segments have sums for parameters.
 */
export function accumulate(args: usize, thread: i32): void {
  const segments = address(args, 2), keep = v128.load32_splat(address(args, 0));
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  const begins = load<f32>(address(args, 0)) == 0;
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const sum = load<usize>(segment, 16), gradient = load<usize>(segment, 20);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      let g = loadPart(gradient + at, left);
      if (!begins) g = f32x4.add(f32x4.mul(keep, loadPart(sum + at, left)), g);
      storePart(sum + at, g, left);
    }
  }
}

/**
 * average += rate · (value − average). Arguments: the seven, with rate in the place of hyper; segments have averages for
 * parameters and values for gradients. The factor only says whether anything changes.
 */
export function ema(args: usize, thread: i32): void {
  const segments = address(args, 2), rate = v128.load32_splat(address(args, 0));
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const average = load<usize>(segment, 16), value = load<usize>(segment, 20);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      const a = loadPart(average + at, left);
      const change = f32x4.sub(loadPart(value + at, left), a);
      storePart(average + at, f32x4.add(a, f32x4.mul(rate, change)), left);
    }
  }
}

/**
 * partials[ticket] = Σ gradient² over the ticket's stretch, in f64. Segments have gradients for parameters.
 * Arguments: segments, number of segments, number of tickets, grain, partials f64 [tickets].
 */
export function square_sums(args: usize, thread: i32): void {
  const segments = address(args, 0), count = integer(args, 1), tickets = integer(args, 2);
  const grain = integer(args, 3), partials = address(args, 4);
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count), gradient = load<usize>(segment, 16);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    let low = f64x2.splat(0), high = f64x2.splat(0);
    for (let i = first; i < end; i += 4) {
      const g = loadPart(gradient + (<usize> i << 2), end - i);
      const g0 = f64x2.promote_low_f32x4(g),
        g1 = f64x2.promote_low_f32x4(v128.shuffle<i32>(g, g, 2, 3, 2, 3));
      low = f64x2.add(low, f64x2.mul(g0, g0));
      high = f64x2.add(high, f64x2.mul(g1, g1));
    }
    const both = f64x2.add(low, high);
    store<f64>(partials + (<usize> ticket << 3), f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1));
  }
}

/**
 * norm = √Σ partials, in order, and y = factor · min(1, limit / (norm + 10⁻⁶)); NaN where the norm is not finite.
 * Arguments: partials f64 [tickets], tickets, factor, limit, y, norm. One thread does it.
 */
export function clip_factor(args: usize, thread: i32): void {
  const partials = address(args, 0), tickets = integer(args, 1), factor = load<f32>(address(args, 2));
  const limit = <f64> number(args, 3), y = address(args, 4), norm = address(args, 5);
  if (draw(args) != 0) return;
  let sum: f64 = 0;
  for (let i = 0; i < tickets; i++) sum += load<f64>(partials + (<usize> i << 3));
  const length = <f32> sqrt<f64>(sum);
  store<f32>(norm, length);
  const share = <f32> min<f64>(1, limit / (<f64> length + 1e-6));
  store<f32>(y, isFinite<f32>(length) ? factor * share : f32.NaN);
}

/** y = x while all x were finite, else NaN, which `failed` remembers. Arguments: failed, x, y. One thread does it. */
export function latch(args: usize, thread: i32): void {
  const failed = address(args, 0), x = load<f32>(address(args, 1)), y = address(args, 2);
  if (draw(args) != 0) return;
  const fails = load<f32>(failed) != 0 || !isFinite<f32>(x);
  store<f32>(failed, fails ? 1 : 0);
  store<f32>(y, fails ? f32.NaN : x);
}
