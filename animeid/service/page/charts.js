// Small charts, as SVG. Lines differ in their dashes and are named where they end; nothing is told by colour alone.

import { draw, make } from "./dom.js";
import { figure, percent, say } from "./words.js";

const HEIGHT = 180;
const EDGE = { top: 10, right: 8, bottom: 22, left: 44 };
const DASHES = ["", "7 4", "2 4"];
const TICKS = 3;
const BAR = 30;

/** A figure: title, what is counted, drawing, and the same as a table. */
export class Figure {
  constructor(place, key) {
    this.key = key;
    this.title = make("h2", {});
    this.told = make("p", { class: "small" });
    this.drawing = make("div", { class: "drawing" });
    this.summary = make("summary", {});
    this.table = make("table", {});
    this.details = make(
      "details",
      {},
      this.summary,
      make("div", { class: "scroll", tabindex: 0, role: "region" }, this.table),
    );
    place.append(
      make("figure", { "data-chart": key }, make("figcaption", {}, this.title, this.told), this.drawing, this.details),
    );
  }

  /** Draws anew.
   *
   * @param drawn makes an SVG of a width.
   * @param table has the rows, the headings first.
   */
  show(drawn, table, values = {}) {
    this.title.textContent = say(`chart_${this.key}`);
    this.told.textContent = say(`chart_${this.key}_told`, values);
    this.summary.textContent = say("as_table");
    this.details.lastChild.setAttribute("aria-label", this.title.textContent);
    const width = Math.max(240, this.drawing.clientWidth);
    this.drawing.replaceChildren(drawn ? drawn(width) : make("p", { class: "nothing" }, say("nothing_yet")));
    this.details.hidden = !drawn;
    if (this.details.open) this.#tabulate(table);
    else this.details.ontoggle = () => this.details.open && this.#tabulate(table);
  }

  #tabulate([headings, ...rows]) {
    const head = make("tr", {}, ...headings.map((text) => make("th", { scope: "col" }, text)));
    const body = rows.map(([first, ...rest]) =>
      make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((text) => make("td", {}, text))),
    );
    this.table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
  }
}

/** Lines over time.
 *
 * @param series of `name` and `values`, one a time; null where there is none.
 * @param length of the time axis, in values.
 */
export function lines(series, length, seconds, label) {
  return (width) => {
    const top = nice(Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0))));
    const across = (place) => EDGE.left + ((width - EDGE.left - EDGE.right) * (length - 1 - place)) / (length - 1);
    const up = (value) => HEIGHT - EDGE.bottom - ((HEIGHT - EDGE.top - EDGE.bottom) * value) / top;
    const drawn = series.map(({ values }, number) => {
      const last = values.length - 1;
      const path = values
        .map((value, place) => (value === null ? null : [across(last - place), up(value)]))
        .map(
          (point, place, all) =>
            point && `${place > 0 && all[place - 1] ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}h.01`,
        )
        .filter(Boolean)
        .join("");
      return draw("path", { class: `line line-${number}`, d: path, "stroke-dasharray": DASHES[number] || null });
    });
    const since = draw("text", { class: "tick", x: EDGE.left, y: HEIGHT - 4 }, `−${figure((length - 1) * seconds)} s`);
    const now = draw("text", { class: "tick", x: width - EDGE.right, y: HEIGHT - 4, "text-anchor": "end" }, "0 s");
    return make("div", {}, sheet(width, HEIGHT, label, ...grid(width, top, up), ...drawn, since, now), legend(series));
  };
}

/** Columns, one a bin; `labels` stand under some of them. */
export function columns(values, labels, label) {
  return (width) => {
    const top = nice(Math.max(...values));
    const step = (width - EDGE.left - EDGE.right) / values.length;
    const up = (value) => HEIGHT - EDGE.bottom - ((HEIGHT - EDGE.top - EDGE.bottom) * value) / top;
    const drawn = values.map((value, place) =>
      draw("rect", {
        class: "column",
        x: EDGE.left + place * step + 1,
        y: up(value),
        width: Math.max(1, step - 2),
        height: up(0) - up(value),
      }),
    );
    const told = labels.map(([share, text]) =>
      draw(
        "text",
        {
          class: "tick",
          x: EDGE.left + share * values.length * step,
          y: HEIGHT - 4,
          "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle",
        },
        text,
      ),
    );
    return sheet(width, HEIGHT, label, ...grid(width, top, up), ...drawn, ...told);
  };
}

/** Bars with their names above and their counts behind. */
export function bars(rows, label) {
  return (width) => {
    const [most, total] = [
      Math.max(...rows.map(({ value }) => value), 1),
      rows.reduce((sum, { value }) => sum + value, 0),
    ];
    const drawn = rows.flatMap(({ name, value }, place) => {
      const y = place * BAR;
      const told = `${figure(value)} (${percent(value / Math.max(total, 1))})`;
      return [
        draw("text", { class: "name", x: 0, y: y + 14 }, name),
        draw("text", { class: "tick", x: width, y: y + 14, "text-anchor": "end" }, told),
        draw("rect", { class: "track", x: 0, y: y + 19, width, height: 6, rx: 3 }),
        draw("rect", {
          class: "column",
          x: 0,
          y: y + 19,
          width: Math.max(value > 0 ? 2 : 0, (width * value) / most),
          height: 6,
          rx: 3,
        }),
      ];
    });
    return sheet(width, rows.length * BAR, label, ...drawn);
  };
}

function sheet(width, height, label, ...children) {
  return draw(
    "svg",
    { role: "img", "aria-label": label, width, height, viewBox: `0 0 ${width} ${height}` },
    ...children,
  );
}

function grid(width, top, up) {
  return Array.from({ length: TICKS }, (_, step) => (top * step) / (TICKS - 1)).flatMap((value) => [
    draw("path", { class: "grid", d: `M${EDGE.left} ${up(value)}H${width - EDGE.right}` }),
    draw(
      "text",
      { class: "tick", x: EDGE.left - 6, y: up(value) + 4, "text-anchor": "end" },
      figure(value, top < 5 ? 2 : 0),
    ),
  ]);
}

function legend(series) {
  const sample = (number) =>
    draw(
      "svg",
      { class: "sample", width: 30, height: 10, "aria-hidden": "true" },
      draw("path", { class: `line line-${number}`, d: "M1 5H29", "stroke-dasharray": DASHES[number] || null }),
    );
  return make(
    "ul",
    { class: "legend" },
    ...series.map(({ name, now }, number) => make("li", {}, sample(number), say("chart_now", { name, value: now }))),
  );
}

/** A round figure that is not smaller. */
function nice(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].find((step) => step * power >= value) * power;
}
