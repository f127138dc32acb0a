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

/** Numbers that stand at an axis. */
function ticks(svg: string): string[] {
  return [...svg.matchAll(/>(−?[\d.]+%)<\/text>/g)].map(([, text]) => text!);
}

Deno.test("shares have the digits that tell their ticks apart, and are never more than 100 %", async () => {
  const drawn = async (...values: number[]) => {
    const points = values.map((value, i) => [i + 1, value] as const);
    const y = { title: "share of images right", share: true };
    return ticks(await svgOf(lineChart({ ...axes, y, series: [{ name: "test", points }] })));
  };
  // As of a network that is nearly done, or has hardly begun.
  for (const values of [[0.981, 0.9889], [0.0005, 0.019], [0.2, 0.9]]) {
    const shown = await drawn(...values);
    assert.ok(shown.length > 3 && new Set(shown).size === shown.length, `${shown}`);
  }
  assert.ok((await drawn(0.2, 0.9)).includes("20%"));
  for (const value of [1, 0]) {
    const shown = (await drawn(value, value)).map(parseFloat);
    assert.ok(Math.max(...shown) <= 100 && Math.min(...shown) >= 0, `${shown}`);
  }
});

Deno.test("the name of a line that ends at an axis does not lie on the axis's numbers", async () => {
  const series = [
    { name: "nothing", points: [[1, 0]] as const },
    { name: "little", points: [[1, 0.5], [2, 0.01]] as const },
    { name: "all", points: [[1, 0], [3, 1]] as const },
  ];
  const svg = await svgOf(
    lineChart({ ...axes, y: { title: "share", share: true, domain: [0, 1] }, series, height: 200 }),
  );
  const [nothing, little, all] = series.map(({ name }) => {
    const [, y] = svg.match(new RegExp(`translate\\([^,)]+,([^)]+)\\)"[^>]*>${name}</text>`))!;
    return Number(y);
  }) as [number, number, number];
  // Base lines: 200 is where the horizontal axis lies, and letters are 11 pixels high.
  assert.ok(nothing < 198 && nothing - little >= 13 && all > 8, `${[nothing, little, all]}`);
});
