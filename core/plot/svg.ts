/** Draws a Vega-Lite view as SVG, without a browser. Vega takes a moment to load: import this where it is needed. */
import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { widthOf, withoutControls } from "../svg_text.ts";
import { CONFIG, type View } from "./style.ts";

const { Error: Quiet, logger, parse, View: VegaView } = vega;

interface TextMetrics {
  /** How wide a text is in pixels, of a mark whose texts are cut at `limit`. */
  width(mark: { readonly fontSize?: number; readonly limit?: number }, text: unknown): number;
}

// Without a canvas Vega takes every letter for 0.8 of the font's size: too much for Latin ones, so that a quarter of a
// picture stays empty and titles stand far from their axes, and too little for Chinese ones, which are cut off. Its types
// do not have this.
(vega as unknown as { readonly textMetrics: TextMetrics }).textMetrics.width = (
  { fontSize = 11, limit = 0 },
  text,
) => Math.min(limit || Infinity, fontSize * widthOf(String(text ?? "")));

/** The view as an SVG file's text. Throws where the view is not in Vega-Lite's language. */
export async function svgOf(view: View): Promise<string> {
  const spec = { ...view, config: CONFIG } as unknown as TopLevelSpec;
  const drawn = new VegaView(parse(compile(spec, { logger: strict }).spec), { renderer: "none" });
  try {
    return withoutControls(await drawn.toSVG());
  } finally {
    drawn.finalize();
  }
}

/** Vega-Lite only warns of what it does not know; a plot that lacks something should not pass for a whole one. */
const strict = {
  ...logger(Quiet),
  warn(...messages: readonly unknown[]) {
    throw new Error(`a plot: ${messages.join(" ")}`);
  },
} as ReturnType<typeof logger>;
