// A chart over time, of lines or of columns on top of each other: SVG that follows the theme by itself, a readout for mouse, touch and
// keyboard, a table for everybody.
// (plotly was tried first: under our Content-Security-Policy each chart broke it dozens of times, and 4.8 MB took seconds on a phone.)

import { h, say } from "./dom.js";
import { shown, momentOf, niceTicks, timeTicks } from "./scale.js";
import { s } from "./svg.js";

const HEIGHT = 190;
const ROOM = { left: 52, right: 10, top: 8, bottom: 22 };
const COLOURS = 7;
const FAR = 3; // a limit that is further off than so many times what is used would flatten everything: it is left out
const TABLE_ROWS = 12;

// Returns {element, update(answer of /api/charts/ID, marks [{at, text, level}]), fail(sentence), close()}; `colours` by name of a line.
// `last` names the newest moment; columns begin at their point's time and last for the answer's `step`; `most` is a top that always stands.
export function createChart({ title, unit, help = "", last = "now", columns = false, most = 0, level = "h3" }, colours = {}) {
  const state = {
    columns, most, answer: null, marks: [], width: 0, cursor: null,
    colour: (line, index) => `colour-${colours[line.name] ?? (index % COLOURS) + 1}`,
  };
  const svg = s("svg", { "aria-hidden": "true", height: HEIGHT });
  const layers = Object.fromEntries(["gridlines", "marks", "lines", "cursor"].map((name) => [name, svg.appendChild(s("g", { class: name }))]));
  const plot = h("div", { class: "plot", tabindex: "0", role: "slider", "aria-label": `${title}: move along the time with the arrow keys`, "aria-valuemin": "0", "aria-valuemax": "1", "aria-valuenow": "1" }, svg);
  const legend = h("ul", { class: "legend", role: "list" });
  const when = h("span", { class: "when number muted" });
  const message = h("p", { class: "muted message", hidden: true });
  const table = h("details", { class: "values", ontoggle: () => table.open && fillTable(table, state, unit) }, h("summary", {}, "as a table"));
  const element = h("figure", { class: "card chart" },
    h("figcaption", {}, h(level, {}, title), h("p", { class: "muted" }, help)),
    plot, message, h("div", { class: "row apart" }, legend, when), table);

  const draw = () => {
    if (!state.answer || !state.width) return;
    const scale = scaleOf(state, unit);
    drawGrid(layers.gridlines, scale);
    if (columns) drawColumns(layers.lines, state, scale);
    else drawLines(layers.lines, state, scale);
    drawMarks(layers.marks, state, scale);
    tell(scale);
  };
  const tell = (scale = scaleOf(state, unit)) => {
    const index = state.cursor ?? scale.last;
    drawCursor(layers.cursor, state, scale, index);
    drawLegend(legend, state, index, unit);
    const moment = scale.times[index];
    const near = state.cursor === null ? [] : state.marks.filter((mark) => Math.abs(scale.x(mark.at) - scale.x(moment)) < 6);
    say(when, [state.cursor === null ? last : momentOf(moment, scale), ...near.map((mark) => mark.text)].join(" · "));
    plot.setAttribute("aria-valuemax", scale.last);
    plot.setAttribute("aria-valuenow", index);
    plot.setAttribute("aria-valuetext", `${momentOf(moment, scale)}: ${state.answer.series.map((line) => `${line.name} ${shown(line.points[index]?.[1], unit)}`).join(", ")}`);
  };
  const move = (index) => {
    if (!state.answer || !state.width) return;
    const scale = scaleOf(state, unit);
    state.cursor = index === null ? null : Math.min(scale.last, Math.max(0, index));
    tell(scale);
  };
  const point = (event) => {
    if (!state.answer || !state.width) return;
    const scale = scaleOf(state, unit);
    move(scale.index(event.clientX - plot.getBoundingClientRect().left));
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && move(null));
  plot.addEventListener("blur", () => move(null));
  plot.addEventListener("keydown", (event) => {
    const last = state.answer ? state.answer.series[0]?.points.length - 1 : 0;
    const from = state.cursor ?? last;
    const target = { ArrowLeft: from - 1, ArrowRight: from + 1, PageUp: from + 10, PageDown: from - 10, Home: 0, End: last, Escape: null }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    move(target);
  });
  const sizes = new ResizeObserver(([entry]) => {
    state.width = Math.floor(entry.contentRect.width);
    svg.setAttribute("width", state.width);
    draw();
  });
  sizes.observe(plot);

  return {
    element,
    update(answer, marks = []) {
      const isEmpty = !answer.series.some((line) => line.points.some(([, value]) => value !== null));
      message.hidden = !isEmpty;
      plot.hidden = isEmpty;
      if (isEmpty) say(message, "nothing was measured in this time");
      Object.assign(state, { answer, marks: marks.filter((mark) => mark.at >= answer.from && mark.at <= answer.to) });
      if (answer.series.length) draw();
      if (table.open) fillTable(table, state, unit);
    },
    fail(sentence) {
      message.hidden = false;
      say(message, sentence);
    },
    close: () => sizes.disconnect(),
  };
}

function scaleOf({ answer, width, columns, most: least }, unit) {
  const times = answer.series[0].points.map(([at]) => at);
  const mostOf = (lines) => Math.max(0, ...lines.flatMap((line) => line.points.map(([, value]) => value ?? 0)));
  const sums = () => Math.max(0, ...times.map((_, index) => sumAt(answer.series, index)));
  const most = Math.max(least, columns ? sums() : mostOf(answer.series.filter((line) => line.role !== "limit")));
  const limit = mostOf(answer.series.filter((line) => line.role === "limit"));
  const ticks = niceTicks(limit <= FAR * most ? Math.max(most, limit) : most, unit);
  const top = ticks[ticks.length - 1];
  const span = Math.max(1, answer.to - answer.from);
  const wide = width - ROOM.left - ROOM.right;
  const high = HEIGHT - ROOM.top - ROOM.bottom;
  const half = columns ? answer.step / 2 : 0;
  const x = (at) => ROOM.left + ((at - answer.from) / span) * wide;
  return {
    times, ticks, top, width, unit, x, span, step: answer.step, from: answer.from, to: answer.to, last: times.length - 1,
    y: (value) => ROOM.top + (1 - value / top) * high,
    middle: (index) => x(times[index] + half),
    index: (place) => nearest(times, answer.from + ((place - ROOM.left) / wide) * span - half),
  };
}

const sumAt = (series, index) => series.reduce((sum, line) => sum + (line.points[index]?.[1] ?? 0), 0);
const nearest = (times, at) => times.reduce((best, time, index) => (Math.abs(time - at) < Math.abs(times[best] - at) ? index : best), 0);

function drawGrid(layer, scale) {
  const across = scale.ticks.map((value) => [
    s("line", { x1: ROOM.left, x2: scale.width - ROOM.right, y1: scale.y(value), y2: scale.y(value) }),
    s("text", { x: ROOM.left - 6, y: scale.y(value) + 4, "text-anchor": "end" }, shown(value, scale.unit)),
  ]);
  const below = timeTicks(scale.from, scale.to, scale.width).map(([at, words]) => s("text", { x: scale.x(at), y: HEIGHT - 5, "text-anchor": "middle" }, words));
  layer.replaceChildren(...across.flat(), ...below);
}

function drawLines(layer, state, scale) {
  const known = new Map([...layer.children].map((path) => [path.dataset.name, path]));
  state.answer.series.forEach((line, index) => {
    const path = known.get(line.name) ?? layer.appendChild(s("path", { "data-name": line.name }));
    known.delete(line.name);
    path.setAttribute("class", `line ${line.role} ${state.colour(line, index)}`);
    path.setAttribute("d", pathOf(line.points, scale));
  });
  for (const gone of known.values()) gone.remove();
}

// Each line's columns stand on those of the lines before it.
function drawColumns(layer, { answer: { series, step }, colour }, scale) {
  const wide = Math.max(1, scale.x(scale.from + step) - scale.x(scale.from) - 1);
  const paths = series.map((line, number) => {
    const below = series.slice(0, number);
    const pieces = line.points.map(([at, value], index) => {
      if (!value) return "";
      const floor = sumAt(below, index);
      return `M${scale.x(at).toFixed(1)} ${scale.y(floor).toFixed(1)}h${wide.toFixed(1)}V${scale.y(floor + value).toFixed(1)}h-${wide.toFixed(1)}z`;
    });
    return s("path", { "data-name": line.name, class: `column ${colour(line, number)}`, d: pieces.join("") });
  });
  layer.replaceChildren(...paths);
}

// A line breaks where nothing was measured; a lone point becomes a dot by its round ends.
function pathOf(points, { x, y, top }) {
  let isDrawing = false;
  return points.map(([at, value]) => {
    if (value === null || value > top) {
      isDrawing = false;
      return "";
    }
    const place = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    const step = isDrawing ? `L${place}` : `M${place}l0 0`;
    isDrawing = true;
    return step;
  }).join("");
}

function drawMarks(layer, { marks }, scale) {
  layer.replaceChildren(...marks.map((mark) => s("line", { class: mark.level, x1: scale.x(mark.at), x2: scale.x(mark.at), y1: ROOM.top, y2: HEIGHT - ROOM.bottom })));
}

function drawCursor(layer, state, scale, index) {
  if (state.cursor === null) return layer.replaceChildren();
  const x = scale.middle(index);
  const line = s("line", { x1: x, x2: x, y1: ROOM.top, y2: HEIGHT - ROOM.bottom });
  if (state.columns) return layer.replaceChildren(line);
  const dots = state.answer.series.map((line, number) => [line.points[index]?.[1], state.colour(line, number)]).filter(([value]) => value !== null && value <= scale.top);
  return layer.replaceChildren(line, ...dots.map(([value, colour]) => s("circle", { class: colour, cx: x, cy: scale.y(value), r: 4 })));
}

function drawLegend(list, { answer: { series }, colour }, index, unit) {
  while (list.children.length > series.length) list.lastChild.remove();
  series.forEach((line, number) => {
    const item = list.children[number] ?? list.appendChild(h("li", {}, h("i", {}), h("span", {}), h("b", { class: "number" })));
    item.firstChild.className = `swatch ${line.role} ${colour(line, number)}`;
    say(item.children[1], line.name);
    say(item.lastChild, shown(line.points[index]?.[1], unit));
  });
}

function fillTable(table, { answer }, unit) {
  if (!answer) return;
  const about = { from: answer.from, span: answer.to - answer.from, step: answer.step };
  const count = answer.series[0]?.points.length ?? 0;
  const step = Math.max(1, Math.ceil(count / TABLE_ROWS));
  const indexes = [...Array(count).keys()].reverse().filter((_, number) => number % step === 0);
  const head = h("tr", {}, h("th", { scope: "col" }, "time"), answer.series.map((line) => h("th", { scope: "col" }, line.name)));
  const rows = indexes.map((index) => h("tr", {}, h("td", { class: "number" }, momentOf(answer.series[0].points[index][0], about)), answer.series.map((line) => h("td", { class: "number" }, shown(line.points[index]?.[1], unit)))));
  table.replaceChildren(table.firstElementChild, h("div", { class: "scrolls", tabindex: "0" }, h("table", { class: "table" }, h("thead", {}, head), h("tbody", {}, rows))));
}
