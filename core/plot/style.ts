/** How all plots look: one type face, one palette that colour-blind readers can tell apart, a white ground. */

/**
 * A Vega-Lite view: a plain object in Vega-Lite's language. Its own types take the compiler seconds, and Vega-Lite
 * checks what it is given anyway.
 */
export type View = Readonly<Record<string, unknown>>;

/** Okabe and Ito's colours, without yellow, which is too pale for lines on white. */
export const PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"] as const;

export const FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

const INK = "#222222";
const QUIET = "#5f6368";

/** Vega-Lite's `config`. The ground is painted, so that a plot can be read in a dark viewer too. */
export const CONFIG: View = {
  background: "#ffffff",
  font: FONT,
  padding: 16,
  view: { stroke: null },
  title: {
    anchor: "start",
    frame: "group",
    fontSize: 15,
    fontWeight: 600,
    color: INK,
    subtitleFontSize: 12,
    subtitleColor: QUIET,
    subtitlePadding: 4,
    offset: 12,
  },
  axis: {
    labelFontSize: 11,
    labelColor: QUIET,
    titleFontSize: 12,
    titleFontWeight: 400,
    titleColor: INK,
    gridColor: "#e8eaed",
    domainColor: "#9aa0a6",
    tickColor: "#9aa0a6",
  },
  legend: {
    titleLimit: 0,
    labelFontSize: 11,
    labelColor: INK,
    titleFontSize: 12,
    titleFontWeight: 400,
    titleColor: INK,
  },
  text: { fontSize: 11, color: INK },
  concat: { spacing: 28 },
};
