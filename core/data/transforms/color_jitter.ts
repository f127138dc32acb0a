/** ColorJitter: brightness, contrast, saturation and hue by random factors, in a random order. */
import type { Stream } from "../../random.ts";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from "./color.ts";
import type { Image } from "./image.ts";

/** Factors are 1 ± these; the hue turns by ± `hue` (at most 0.5) of the circle. */
export interface JitterOptions {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  readonly hue: number;
}

export function colorJitter(image: Image, jitter: JitterOptions, random: Stream): Image {
  const around = (amount: number) => random.between(Math.max(0, 1 - amount), 1 + amount);
  const order = random.permutation(4);
  const { brightness, contrast, saturation, hue } = jitter;
  const steps = [
    { amount: brightness, factor: around(brightness), adjust: adjustBrightness },
    { amount: contrast, factor: around(contrast), adjust: adjustContrast },
    { amount: saturation, factor: around(saturation), adjust: adjustSaturation },
    { amount: hue, factor: random.between(-hue, hue), adjust: adjustHue },
  ];
  for (const index of order) {
    const { amount, factor, adjust } = steps[index]!;
    if (amount > 0) image = adjust(image, factor);
  }
  return image;
}
