/**
 * Grad-CAM (Selvaraju et al. 2017): where in an image the evidence for a class lies. Each channel of the last feature map
 * counts by the mean of its gradient: max(0, Σ αᶜ · Aᶜ), αᶜ = mean of ∂score/∂Aᶜ.
 */
import { type Image, toGrey } from "../data/transforms/image.ts";
import { resize } from "../data/transforms/resample.ts";

/** Where the evidence for a class lies: `map` [height, width], 0 … 1. */
export interface Evidence {
  readonly height: number;
  readonly width: number;
  readonly map: Float32Array;
}

/** `features` and `gradient` are [C, h, w] of one image. Returns [h, w], the highest value 1; all 0 where there is no evidence. */
export function gradCam(features: Float32Array, gradient: Float32Array, pixels: number): Float32Array {
  const map = new Float32Array(pixels);
  for (let at = 0; at < features.length; at += pixels) {
    let weight = 0;
    for (let i = 0; i < pixels; i++) weight += gradient[at + i]!;
    weight /= pixels;
    for (let i = 0; i < pixels; i++) map[i]! += weight * features[at + i]!;
  }
  const highest = map.reduce((a, b) => Math.max(a, b), 0);
  return map.map((value) => highest > 0 ? Math.max(0, value) / highest : 0);
}

/** Colours of no, half and full evidence: from blue over yellow to red, by lightness too. */
const STOPS = [[20, 30, 110], [60, 150, 190], [250, 225, 90], [215, 40, 35]] as const;

/** The image with the evidence over it, in colours. */
export function overlay(image: Image, evidence: Evidence): Image {
  const { width, height } = image;
  const small: Image = {
    ...evidence,
    channels: 1,
    data: Uint8Array.from(evidence.map, (value) => 255 * value),
  };
  const large = resize(small, [height, width]);
  // In grey, so that all colour is evidence.
  const grey = toGrey(image);
  const data = new Uint8Array(3 * grey.data.length);
  for (let i = 0; i < large.data.length; i++) {
    const value = large.data[i]! / 255;
    const place = value * (STOPS.length - 1);
    const below = Math.min(STOPS.length - 2, Math.floor(place));
    for (let c = 0; c < 3; c++) {
      const [a, b] = [STOPS[below]![c]!, STOPS[below + 1]![c]!];
      data[3 * i + c] = 0.55 * grey.data[i]! + 0.45 * (a + (b - a) * (place - below));
    }
  }
  return { width, height, channels: 3, data };
}
