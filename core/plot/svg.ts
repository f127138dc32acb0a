/** Draws a Vega-Lite view as SVG, without a browser. Vega takes a moment to load: import this where it is needed. */
import { Error as Quiet, logger, parse, View as VegaView } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { CONFIG, type View } from "./style.ts";

/** The view as an SVG file's text. Throws where the view is not in Vega-Lite's language. */
export async function svgOf(view: View): Promise<string> {
  const spec = { ...view, config: CONFIG } as unknown as TopLevelSpec;
  const drawn = new VegaView(parse(compile(spec, { logger: strict }).spec), { renderer: "none" });
  try {
    return await drawn.toSVG();
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
