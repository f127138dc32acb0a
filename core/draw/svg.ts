/** Lays a picture out. */
import { instance } from "@viz-js/viz";

/** SVG of Graphviz's language, by Graphviz itself, compiled to WebAssembly. */
export async function svgOf(dot: string): Promise<string> {
  const svg = (await instance()).renderString(dot, { format: "svg" });
  // Graphviz knows Verdana's widths; DejaVu Sans has the same, and other fonts are narrower, so that they fit too.
  return svg.replaceAll('font-family="Verdana"', 'font-family="Verdana,DejaVu Sans,Arial,sans-serif"');
}
