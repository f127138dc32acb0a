/** How the images of a batch are mixed: a pure function of seed, epoch and step, as timm's Mixup in its batch mode. */
import type { Image } from "../data/transforms/image.ts";
import { draw, uniform } from "../random.ts";

export interface MixOptions {
  /** The parameter of the beta distribution from which mixup's share comes; 0 for no mixup. */
  readonly mixup: number;
  /** The same of cutmix. Where both are above 0, each batch takes either with the same chance. */
  readonly cutmix: number;
}

/** See the op mix_images. */
export interface Mix {
  /** λ, top, left, bottom, right. */
  readonly mix: readonly number[];
  /** How much of the loss is that to an image's own target; the rest is that to its partner's. */
  readonly share: number;
}

/** Draws the mix of a batch of images of `height` × `width`. */
export function drawMix(
  { mixup, cutmix }: MixOptions,
  [height, width]: readonly [number, number],
  { seed, epoch, step }: { readonly seed: number; readonly epoch: number; readonly step: number },
): Mix {
  const next = numbers(seed, epoch, step);
  const cut = cutmix > 0 && (mixup <= 0 || next() < 0.5);
  const share = beta(cut ? cutmix : mixup, next);
  if (!cut) return { mix: [share, 0, 0, 0, 0], share };
  const side = Math.sqrt(1 - share);
  const [top, bottom] = span(height, side, next()), [left, right] = span(width, side, next());
  return {
    mix: [1, top, left, bottom, right],
    // The box may stand out of the image, where there is nothing to replace.
    share: 1 - (bottom - top) * (right - left) / (height * width),
  };
}

/** One image mixed with its partner, both of bytes and of one size: what the op mix_images makes of it. */
export function mixed(own: Image, partner: Image, { mix }: Mix): Image {
  const [share, top, left, bottom, right] = mix as readonly [number, number, number, number, number];
  const { width, channels } = own;
  const data = own.data.map((byte, i) => {
    const x = Math.floor(i / channels) % width, y = Math.floor(i / channels / width);
    const isCut = y >= top && y < bottom && x >= left && x < right;
    return isCut ? partner.data[i]! : Math.round(share * byte + (1 - share) * partner.data[i]!);
  });
  return { ...own, data };
}

/** A stretch of `share` of an extent around a place drawn at random, cut off where the extent ends. */
function span(extent: number, share: number, place: number): [number, number] {
  const half = Math.floor(Math.floor(extent * share) / 2);
  const centre = Math.floor(place * extent);
  return [Math.max(centre - half, 0), Math.min(centre + half, extent)];
}

/** Words that a step may take: nobody draws as many. */
const WORDS = 4096;

/** Numbers in [0, 1), one after the other. */
function numbers(seed: number, epoch: number, step: number): () => number {
  let drawn = 0;
  return () => {
    const words = draw(seed, "mix", epoch, (step * (WORDS / 4) + (drawn >> 2)) >>> 0);
    return uniform(words[drawn++ % 4]!);
  };
}

/** Beta(alpha, alpha): x / (x + y) of two gamma variates, by their logarithms, since a small alpha makes tiny ones. */
function beta(alpha: number, next: () => number): number {
  const x = logGamma(alpha, next), y = logGamma(alpha, next);
  return 1 / (1 + Math.exp(y - x));
}

/** The logarithm of a gamma variate (Marsaglia & Tsang 2000); below 1 by way of alpha + 1. */
function logGamma(alpha: number, next: () => number): number {
  if (alpha < 1) return logGamma(alpha + 1, next) + Math.log(1 - next()) / alpha;
  const d = alpha - 1 / 3, c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    const v = (1 + c * normal) ** 3;
    if (v > 0 && Math.log(1 - next()) < normal ** 2 / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
