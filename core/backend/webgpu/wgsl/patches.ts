/**
 * Who copies which part of the strips of a product (gemm.ts): patches of 4 steps × 4 rows or columns, those of A before those of B,
 * dealt out in turns. `declare` says once where an invocation's patches lie, `load` reads them at `k` into registers, `store`
 * puts them at `to_a` and `to_b`.
 */
import { DEPTH, type Operand, range, type Tile } from "./tiles.ts";

type Side = "a" | "b";

export interface Patches {
  readonly declare: string;
  readonly load: string;
  readonly store: string;
}

export function patchesOf(
  { m, n }: Tile,
  invocations: number,
  operands: Readonly<Record<Side, Operand>>,
): Patches {
  const turns = range(Math.ceil((m + n) / invocations)).map((turn) => {
    const first = turn * invocations;
    /** Statements for whoever has a patch of A in this turn, and for whoever has one of B. */
    const share = (statements: (side: Side) => string) => {
      const has = (side: Side, end: number) =>
        end <= first ? "" : end >= first + invocations ? statements(side) : `if (lane < ${end - first}u) {
        ${statements(side)}
      }`;
      const a = has("a", m);
      if (m >= first + invocations) return a;
      const b = has("b", m + n);
      if (a === "") return b;
      return `${a} else ${b.startsWith("if") ? b : `{\n        ${b}\n      }`}`;
    };
    const names = {
      four: `four_${turn}`,
      step: `step_${turn}`,
      at: `at_${turn}`,
      place: `place_${turn}_`,
      value: `value_${turn}_`,
    };
    const declared = `var ${names.four} = 0u; var ${names.step} = 0u;
  ${range(4).map((i) => `var ${names.place}${i} = Place(); var ${names.value}${i} = vec4f();`).join(" ")}`;
    return {
      declare: `${declared}
  ${
        share((side) => {
          const patch = side === "a" ? `(lane + ${first}u)` : `(lane + ${first}u - ${m}u)`;
          return placesOf(operands[side], side, side === "a" ? m : n, patch, names);
        })
      }`,
      load: share((side) => loadOf(operands[side], side, names)),
      store: share((side) => storeOf(operands[side], side, side === "a" ? m : n, names)),
    };
  });
  const all = (what: keyof Patches) => turns.map((turn) => turn[what]).join("\n  ");
  return { declare: all("declare"), load: all("load"), store: all("store") };
}

type Names = Readonly<Record<"four" | "step" | "at" | "place" | "value", string>>;

/** Along K, neighbours take neighbouring steps; else neighbouring rows. */
function placesOf({ along, four }: Operand, side: Side, extent: number, patch: string, names: Names): string {
  const [row, step] = along === "k"
    ? [`${patch} / ${DEPTH / 4}u`, `${patch} % ${DEPTH / 4}u`]
    : [`${patch} % ${extent / 4}u`, `${patch} / ${extent / 4}u`];
  const first = side === "a" ? "first_row" : "first_column";
  const places = along === "mn" && four ? 1 : 4;
  return `${names.four} = ${row}; ${names.step} = ${step} * 4u;
  ${
    range(places).map((i) =>
      `${names.place}${i} = ${side}_place(${first} + 4u * ${names.four} + ${i}u, group);`
    ).join("\n  ")
  }`;
}

function loadOf({ along, four }: Operand, side: Side, { step, at, place, value }: Names): string {
  const begin = `var ${at} = ${side}_step(k + ${step});`;
  if (four && along === "k") {
    return [begin, ...range(4).map((i) => `${value}${i} = ${side}_at(${place}${i}, ${at});`)].join(" ");
  }
  if (four) {
    const next = `${at} = ${side}_next(${at});`;
    return [
      begin,
      ...range(4).map((i) => `${i > 0 ? next : ""} ${value}${i} = ${side}_at(${place}0, ${at});`),
    ]
      .join("\n        ");
  }
  // A loop, which compilers may unroll: Chromium's software adapter took minutes for sixteen reads in a row.
  const one = `vec4f(${range(4).map((i) => `${side}_at(${place}${i}, ${at})`).join(", ")})`;
  return `${begin}
        for (var i = 0u; i < 4u; i++) {
          let one = ${one};
          switch i {
            ${range(3).map((i) => `case ${i}u: { ${value}${i} = one; }`).join("\n            ")}
            default: { ${value}3 = one; }
          }
          ${at} = ${side}_next(${at});
        }`;
}

/** Strips are [step][row], four rows a vector, whose place within eight is turned by the step: see gemm.ts. */
function storeOf(
  { along, four }: Operand,
  side: Side,
  extent: number,
  names: Names,
): string {
  return range(4).map((i) => {
    const vector = four && along === "k"
      ? `vec4f(${range(4).map((j) => `${names.value}${j}.${"xyzw"[i]}`).join(", ")})`
      : `${names.value}${i}`;
    const at = `(${names.step} + ${i}u) * ${extent / 4}u + (${names.four} ^ (${names.step} / 2u))`;
    return `strip_${side}[to_${side} + ${at}] = ${vector};`;
  }).join("\n        ");
}
