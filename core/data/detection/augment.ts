/**
 * Images for detectors, varied as the YOLOv1 paper does it (Redmon et al. 2015, section 2.2): random scale and translation of
 * up to 20 %, exposure and saturation by factors of up to 1.5 in HSV, half of them mirrored. What is drawn is a `View`; the
 * image and its boxes follow it apart, so that workers may do the pixels.
 */
import { areaOf, type Box, clipBox } from "../../detect/box.ts";
import type { LabelledBox } from "../../detect/labelled_box.ts";
import { uniform } from "../../random.ts";
import { crop, flipHorizontally } from "../transforms/crop.ts";
import { type Image, mapBytes, type Size } from "../transforms/image.ts";
import type { Draws } from "../transforms/mod.ts";
import { resize } from "../transforms/resample.ts";

export interface DetectionAugmentation {
  /** Each edge of what is seen moves by up to this share of the image, inwards or outwards. */
  readonly jitter: number;
  /** Greatest factor of brightness (V), and one over the least. */
  readonly exposure: number;
  /** The same for saturation (S). */
  readonly saturation: number;
  /** How often the image is mirrored, 0 … 1. */
  readonly hflip: number;
}

export const yoloAugmentation: DetectionAugmentation = {
  jitter: 0.2,
  exposure: 1.5,
  saturation: 1.5,
  hflip: 0.5,
};

/** What is seen of an image, and how. */
export interface View {
  /** The part of the image, in its pixels; what lies outside is black. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly mirrored: boolean;
  readonly exposure: number;
  readonly saturation: number;
}

interface Extent {
  readonly width: number;
  readonly height: number;
}

/** All of an image as it is. */
export function wholeView({ width, height }: Extent): View {
  return { left: 0, top: 0, width, height, mirrored: false, exposure: 1, saturation: 1 };
}

/** A random view, whose edges lie between pixels. The same `draws`, the same view. */
export function randomView(
  { width, height }: Extent,
  { jitter, exposure, saturation, hflip }: DetectionAugmentation,
  draws: Draws,
): View {
  const [place, coin, colour] = [draws("crop"), draws("flip"), draws("color")];
  const edge = (extent: number) => Math.round(place.between(-jitter, jitter) * extent);
  const [left, top] = [edge(width), edge(height)];
  const [right, bottom] = [width + edge(width), height + edge(height)];
  const factor = (most: number) => {
    const stretch = colour.between(1, most);
    return uniform(colour.word()) < 0.5 ? stretch : 1 / stretch;
  };
  return {
    left,
    top,
    width: Math.max(right - left, 1),
    height: Math.max(bottom - top, 1),
    mirrored: uniform(coin.word()) < hflip,
    exposure: factor(exposure),
    saturation: factor(saturation),
  };
}

/** The view as an image of a size. */
export function viewImage(image: Image, view: View, size: Size): Image {
  const { left, top, width, height, mirrored } = view;
  const isWhole = left === 0 && top === 0 && width === image.width && height === image.height;
  const part = isWhole ? image : crop(image, top, left, [height, width]);
  const seen = distort(resize(part, size), view);
  return mirrored ? flipHorizontally(seen) : seen;
}

/** Of an object, this share of its area must be seen, or it is left out. */
const LEAST_SEEN = 0.1;

/** The objects that are seen, their boxes in pixels of the view's image and cut at its edges. */
export function viewObjects(
  objects: readonly LabelledBox[],
  view: View,
  [height, width]: Size,
): LabelledBox[] {
  return objects.flatMap((object) => {
    const box = viewBox(object.box, view, [height, width]);
    const inside = clipBox(box, width, height);
    return areaOf(inside) > LEAST_SEEN * areaOf(box) ? [{ ...object, box: inside }] : [];
  });
}

function viewBox({ x1, y1, x2, y2 }: Box, view: View, [height, width]: Size): Box {
  const x = (edge: number) => (edge - view.left) * width / view.width;
  const y = (edge: number) => (edge - view.top) * height / view.height;
  return view.mirrored
    ? { x1: width - x(x2), y1: y(y1), x2: width - x(x1), y2: y(y2) }
    : { x1: x(x1), y1: y(y1), x2: x(x2), y2: y(y2) };
}

/** Scales saturation and value of HSV, cut at their greatest. Grey images have a value alone. */
export function distort(
  image: Image,
  { exposure, saturation }: Pick<View, "exposure" | "saturation">,
): Image {
  if (exposure === 1 && saturation === 1) return image;
  const values = Float64Array.from({ length: 256 }, (_, most) => Math.min(most * exposure, 255));
  if (image.channels === 1) return mapBytes(image, Uint8Array.from(values, Math.round));
  const { data } = image;
  const target = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 3) {
    const red = data[at]!, green = data[at + 1]!, blue = data[at + 2]!;
    const most = Math.max(red, green, blue), range = most - Math.min(red, green, blue);
    // With V the greatest and S the saturation a channel is V · (1 − S · k), where k = (V − channel) / range stays.
    const value = values[most]!;
    const share = range === 0 ? 0 : value * Math.min(saturation / most, 1 / range);
    target[at] = value - share * (most - red) + 0.5;
    target[at + 1] = value - share * (most - green) + 0.5;
    target[at + 2] = value - share * (most - blue) + 0.5;
  }
  return { ...image, data: target };
}
