import assert from "node:assert/strict";
import { lineChart } from "../../../core/plot/line_chart.ts";
import { svgOf } from "../../../core/plot/svg.ts";

const axes = { title: "Loss", x: { title: "epoch" }, y: { title: "loss (nats)" } };

Deno.test("a line chart has its titles, and each line's name at its end, apart from the others", async () => {
  const series = ["train", "test", "validation"].map((name, i) => ({
    name,
    points: [[1, 2], [2, 1 + i / 1000]] as const,
  }));
  const svg = await svgOf(lineChart({ ...axes, series }));
  assert.match(svg, /^<svg /);
  for (const text of ["Loss", "epoch", "loss (nats)"]) assert.ok(svg.includes(`>${text}</text>`), text);
  const heights = series.map(({ name }) => {
    const [, y] = svg.match(new RegExp(`translate\\([^,)]+,([^)]+)\\)"[^>]*>${name}</text>`))!;
    return Number(y);
  });
  assert.ok(heights[0]! - heights[1]! >= 13 && heights[1]! - heights[2]! >= 13, `${heights}`);
});

Deno.test("a chart is drawn of one point, of none, of numbers that are not finite, and on logarithmic axes", async () => {
  const draw = (points: readonly (readonly [number, number])[], scale: "linear" | "log" = "linear") =>
    svgOf(lineChart({
      title: "Range",
      x: { title: "learning rate", scale },
      y: { title: "loss" },
      series: [{ name: "loss", points }],
      marks: [{ x: 0.1, label: "suggested 0.1" }],
    }));
  for (const points of [[], [[1, 2]], [[1, NaN], [2, 3], [3, Infinity]]] as const) {
    const svg = await draw(points);
    assert.ok(!/NaN|Infinity/.test(svg.replaceAll(/aria-label="[^"]*"/g, "")), svg);
  }
  assert.ok((await draw([[0, 1], [1e-3, 2], [1, 3]], "log")).includes("suggested 0.1"));
});

Deno.test("what Vega-Lite would only warn of is an error", async () => {
  await assert.rejects(svgOf({ data: { values: [] }, mark: "line", encoding: { nothing: { field: "x" } } }));
});

Deno.test("a picture has room for its widest names, Chinese ones too, and not much more", async () => {
  const widthWith = async (name: string) => {
    const series = [name, "test"].map((name) => ({ name, points: [[1, 1], [2, 2]] as const }));
    const svg = await svgOf(lineChart({ ...axes, series }));
    return Number(/ width="([\d.]+)"/.exec(svg)![1]);
  };
  const short = await widthWith("test 2");
  const more = await widthWith("網".repeat(40)) - short;
  // Letters of 11 pixels; the short name's own place is taken already.
  assert.ok(more > 40 * 11 - 6 * 11, `${more} more pixels`);
  const latin = await widthWith("a".repeat(40)) - short;
  assert.ok(latin > 40 * 11 * 0.6 - 6 * 11 && latin < 40 * 11 * 0.7, `${latin} more pixels`);
});

Deno.test("a name with a control letter leaves a picture that can be read", async () => {
  const series = ["a\x01b", "c\x1b[31m"].map((name) => ({ name, points: [[1, 1], [2, 2]] as const }));
  const svg = await svgOf(lineChart({ ...axes, series }));
  assert.ok(svg.includes(">a\ufffdb</text>"));
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\x01\x1b]/.test(svg));
});
