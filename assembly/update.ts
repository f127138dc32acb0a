/**
 * Optimisers' steps over all parameters in one pass: a ticket is a stretch of one parameter.
 *
 * `segments` is a table of eight words a parameter: first ticket, elements, weight decay (f32), factor of the learning
 * rate (f32), and the addresses of parameter, gradient and two states (0 where there is none).
 * `hyper` points at the f32 [8] that change from step to step, the learning rate first.
 * The first six arguments are the same for all: hyper, loss (one number), segments, number of segments, number of
 * tickets, and grain: the elements that a ticket stands for.
 */
import { address, draw, integer, number } from "./abi";
import { loadPart, storePart } from "./part";

/** How many tickets there are: none where the loss is not finite, so that nothing changes. */
function ticketsOf(args: usize): i32 {
  return isFinite<f32>(load<f32>(address(args, 1))) ? integer(args, 4) : 0;
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

/** p −= lr · (g + decay·p). Arguments: the six. hyper: [lr]. */
export function sgd(args: usize, thread: i32): void {
  const hyper = address(args, 0), segments = address(args, 2);
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const decay = decayOf(segment), rate = rateOf(segment, hyper);
    const parameter = load<usize>(segment, 16), gradient = load<usize>(segment, 20);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      const p = loadPart(parameter + at, left);
      const g = f32x4.add(loadPart(gradient + at, left), f32x4.mul(decay, p));
      storePart(parameter + at, f32x4.sub(p, f32x4.mul(rate, g)), left);
    }
  }
}

/**
 * With g = gradient + decay·p: b = momentum·b + (1 − dampening)·g, in the first step b = g (whatever b was);
 * p −= lr · (nesterov ? g + momentum·b : b).
 * Arguments: the six, momentum, 1 − dampening, nesterov (0 or 1). hyper: [lr, first step ? 1 : 0]. State: b.
 */
export function sgd_momentum(args: usize, thread: i32): void {
  const hyper = address(args, 0), segments = address(args, 2);
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  const momentum = f32x4.splat(number(args, 6)), share = f32x4.splat(number(args, 7));
  const nesterov = integer(args, 8) != 0, begins = load<f32>(hyper, 4) != 0;
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const decay = decayOf(segment), rate = rateOf(segment, hyper);
    const parameter = load<usize>(segment, 16), gradient = load<usize>(segment, 20);
    const buffer = load<usize>(segment, 24);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      const p = loadPart(parameter + at, left);
      const g = f32x4.add(loadPart(gradient + at, left), f32x4.mul(decay, p));
      let b = g;
      if (!begins) b = f32x4.add(f32x4.mul(momentum, loadPart(buffer + at, left)), f32x4.mul(share, g));
      storePart(buffer + at, b, left);
      const direction = nesterov ? f32x4.add(g, f32x4.mul(momentum, b)) : b;
      storePart(parameter + at, f32x4.sub(p, f32x4.mul(rate, direction)), left);
    }
  }
}

/**
 * m = β1·m + (1 − β1)·g, v = β2·v + (1 − β2)·g², p −= lr / c1 · m / (√v / √c2 + eps). Weight decay adds decay·p to g,
 * or if decoupled first takes lr·decay·p off p.
 * Arguments: the six, β1, 1 − β1, β2, 1 − β2, eps, decoupled (0 or 1). hyper: [lr, c1, c2]. States: m, v.
 */
export function adam(args: usize, thread: i32): void {
  const hyper = address(args, 0), segments = address(args, 2);
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  const beta1 = f32x4.splat(number(args, 6)), share1 = f32x4.splat(number(args, 7));
  const beta2 = f32x4.splat(number(args, 8)), share2 = f32x4.splat(number(args, 9));
  const eps = f32x4.splat(number(args, 10)), decoupled = integer(args, 11) != 0;
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
      const g = f32x4.add(loadPart(gradient + at, left), f32x4.mul(coupled, p));
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
 * With g = gradient + decay·p: v = alpha·v + (1 − alpha)·g², u = g / (√v + eps); with a buffer b = momentum·b + u and
 * p −= lr·b, without p −= lr·u.
 * Arguments: the six, alpha, 1 − alpha, eps, momentum. hyper: [lr]. States: v, and b where there is momentum.
 */
export function rmsprop(args: usize, thread: i32): void {
  const hyper = address(args, 0), segments = address(args, 2);
  const count = integer(args, 3), tickets = ticketsOf(args), grain = integer(args, 5);
  const alpha = f32x4.splat(number(args, 6)), share = f32x4.splat(number(args, 7));
  const eps = f32x4.splat(number(args, 8)), momentum = f32x4.splat(number(args, 9));
  for (let ticket = draw(args); ticket < tickets; ticket = draw(args)) {
    const segment = segmentOf(ticket, segments, count);
    const decay = decayOf(segment), rate = rateOf(segment, hyper);
    const parameter = load<usize>(segment, 16), gradient = load<usize>(segment, 20);
    const square = load<usize>(segment, 24), buffer = load<usize>(segment, 28);
    const first = firstElement(segment, ticket, grain), end = endElement(segment, first, grain);
    for (let i = first; i < end; i += 4) {
      const at = <usize> i << 2, left = end - i;
      const p = loadPart(parameter + at, left);
      const g = f32x4.add(loadPart(gradient + at, left), f32x4.mul(decay, p));
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
