/** The files of the live page, all of them local: it works without a network. */
import boxes from "../dashboard/boxes.js" with { type: "text" };
import confusion from "../dashboard/confusion.js" with { type: "text" };
import charts from "../dashboard/charts.js" with { type: "text" };
import facts from "../dashboard/facts.js" with { type: "text" };
import format from "../dashboard/format.js" with { type: "text" };
import icon from "../dashboard/icon.svg" with { type: "text" };
import css from "../dashboard/page.css" with { type: "text" };
import html from "../dashboard/page.html" with { type: "text" };
import page from "../dashboard/page.js" with { type: "text" };
import samples from "../dashboard/samples.js" with { type: "text" };
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import type { PageFile } from "./page_server.ts";

const script = (body: string) => ({ type: "text/javascript", body });
const style = (body: string) => ({ type: "text/css", body });

export const pageFiles: ReadonlyMap<string, PageFile> = new Map([
  ["/", { type: "text/html", body: html }],
  ["/icon.svg", { type: "image/svg+xml", body: icon }],
  ["/page.css", style(css)],
  ["/uplot.css", style(uplotCss)],
  ["/uplot.js", script(uplot)],
  ["/boxes.js", script(boxes)],
  ["/charts.js", script(charts)],
  ["/confusion.js", script(confusion)],
  ["/facts.js", script(facts)],
  ["/format.js", script(format)],
  ["/page.js", script(page)],
  ["/samples.js", script(samples)],
]);
