// The laughs of a time, each where it was and as high as it was strong; one goes from laugh to laugh by mouse or arrow keys.

import { h, say } from "../../core/dom.js";
import { age, dayTime, number, percent } from "../../core/format.js";
import { timeTicks } from "../../core/scale.js";
import { s } from "../../core/svg.js";

const HEIGHT = 84;
const BASE = 62; // below it stand the times
const LEAST = 4; // pixels: the shortest laugh that one can see and hit

export function laughStrip() {
  const state = { laughs: [], since: 0, until: 1, width: 0, cursor: null };
  const svg = s("svg", { "aria-hidden": "true", height: HEIGHT });
  const plot = h("div", { class: "plot", tabindex: 0, role: "slider", "aria-label": "Laughs: go from one to the next with the arrow keys", "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0 }, svg);
  const told = h("p", { class: "number muted told" });
  const element = h("section", { class: "card strip" }, h("h3", {}, "Each laugh"), plot, told);

  const move = (index) => {
    state.cursor = index === null || !state.laughs.length ? null : Math.max(0, Math.min(state.laughs.length - 1, index));
    draw();
  };
  const draw = () => {
    if (state.width) drawStrip(svg, state);
    tell(plot, told, state);
  };
  const point = (event) => move(nearest(state, event.clientX - plot.getBoundingClientRect().left));
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && move(null));
  plot.addEventListener("blur", () => move(null));
  plot.addEventListener("keydown", (event) => {
    const from = state.cursor ?? state.laughs.length;
    const target = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: state.laughs.length - 1, Escape: null }[event.key];
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
    close: () => sizes.disconnect(),
    update({ since, until, laughs, totals, now }) {
      const chosen = state.laughs[state.cursor]?.id;
      const ordered = [...laughs].reverse();
      Object.assign(state, { laughs: ordered, since, until: Math.min(until, now.at), all: totals.laughs });
      state.cursor = chosen === undefined ? null : ordered.findIndex(({ id }) => id === chosen);
      if (state.cursor === -1) state.cursor = null;
      draw();
    },
  };
}

const place = ({ since, until, width }, at) => ((at - since) / Math.max(1, until - since)) * width;

function nearest(state, x) {
  const far = state.laughs.map((laugh) => Math.abs(place(state, laugh.peak_at) - x));
  return far.length ? far.indexOf(Math.min(...far)) : null;
}

function drawStrip(svg, state) {
  const bars = state.laughs.map((laugh, index) => {
    const left = place(state, laugh.start);
    const tall = Math.max(6, laugh.peak * (BASE - 6));
    const wide = Math.max(LEAST, place(state, laugh.end) - left);
    const marks = [laugh.disputed && "disputed", index === state.cursor && "chosen"].filter(Boolean).join(" ");
    return s("rect", { class: marks, x: left.toFixed(1), y: (BASE - tall).toFixed(1), width: wide.toFixed(1), height: tall.toFixed(1), rx: 2 });
  });
  const ticks = timeTicks(state.since, state.until, state.width).filter(([at]) => place(state, at) > 18 && place(state, at) < state.width - 18);
  svg.replaceChildren(
    s("line", { x1: 0, x2: state.width, y1: BASE, y2: BASE }), ...bars,
    ...ticks.map(([at, words]) => s("text", { x: place(state, at), y: HEIGHT - 4, "text-anchor": "middle" }, words)));
}

function tell(plot, told, { laughs, cursor, all }) {
  const laugh = laughs[cursor];
  const words = laugh ? laughWords(laugh) : summary(laughs, all);
  say(told, words);
  plot.setAttribute("aria-valuemax", Math.max(0, laughs.length - 1));
  plot.setAttribute("aria-valuenow", cursor ?? Math.max(0, laughs.length - 1));
  plot.setAttribute("aria-valuetext", words);
}

function summary(laughs, all) {
  if (!laughs.length) return "Nobody laughed in this time.";
  const rest = all > laughs.length ? `: the newest ${number(laughs.length)} of ${number(all)}` : "";
  return `${number(laughs.length)} ${laughs.length === 1 ? "laugh" : "laughs"}${rest}; point at one to read it`;
}

export const laughWords = ({ start, end, peak, camera, disputed }) => [`${dayTime(start)}`, camera, `${age(end - start)} long`, `peak ${percent(peak)}`, disputed && "disputed: not counted"].filter(Boolean).join(" · ");
