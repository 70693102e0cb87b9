// The timeline: faces by camera, who was there when, what is missing. One points, drags, or walks it by keyboard, and zooms.

import { get } from "../../core/api.js";
import { h, say } from "../../core/dom.js";
import { whileSeen } from "../../core/seen.js";
import { draw, laneCount, timeOf } from "./drawing.js";
import { legendOf, momentWords } from "./telling.js";

const LOOK_SECONDS = 5;
const DRAG_PIXELS = 6;
const ZOOM = 2;

export function timeline(state) {
  const view = { answer: null, width: 0, cursor: null, drag: null };
  const svg = h("div", { class: "drawing", "aria-hidden": "true" });
  const plot = h("div", { class: "plot", tabindex: 0, role: "slider", "aria-label": "Timeline: move with the arrow keys, zoom with plus and minus, page up and page down go back and forth", "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0 }, svg);
  const told = h("p", { class: "number told" });
  const legend = h("ul", { class: "legend lanes", role: "list" });
  const problem = h("p", { class: "error", role: "status" });
  const buttons = [["◀", "Earlier", () => pan(-0.5)], ["▶", "Later", () => pan(0.5)], ["−", "Zoom out", () => zoom(ZOOM)], ["+", "Zoom in", () => zoom(1 / ZOOM)]];
  const element = h("section", { class: "card timeline chart", "aria-label": "Timeline" },
    h("div", { class: "row apart" }, legend, h("div", { class: "row" }, buttons.map(([sign, name, onclick]) => h("button", { class: "button quiet", type: "button", "aria-label": name, title: name, onclick }, sign)))),
    problem, plot, told);
  let turn = 0;

  async function look() {
    const mine = ++turn;
    const answer = await get(`/api/history/timeline?${state.query()}`).catch((error) => error);
    if (mine !== turn) return;
    say(problem, answer instanceof Error ? answer.message : "");
    plot.classList.toggle("old", answer instanceof Error);
    if (answer instanceof Error) return;
    view.answer = aligned(answer);
    plot.style.height = `${laneCount(answer).height}px`;
    legend.replaceChildren(...legendOf(answer));
    show();
  }

  function show() {
    if (!view.answer || !view.width) return;
    draw(svg, view);
    const words = momentWords(view.answer, view.cursor);
    say(told, words);
    plot.setAttribute("aria-valuemax", steps(view.answer) - 1);
    plot.setAttribute("aria-valuenow", view.cursor ?? steps(view.answer) - 1);
    plot.setAttribute("aria-valuetext", words);
  }

  const move = (index) => {
    view.cursor = index === null || !view.answer ? null : Math.max(0, Math.min(steps(view.answer) - 1, index));
    show();
  };
  const zoom = (factor) => {
    const { since, until } = state.range();
    const middle = view.cursor === null ? (factor < 1 ? until - ((until - since) * factor) / 2 : (since + until) / 2) : view.answer.since + (view.cursor + 0.5) * view.answer.step;
    const half = ((until - since) * factor) / 2;
    view.cursor = null;
    state.goTo(middle - half, middle + half);
  };
  const pan = (share) => {
    const { since, until } = state.range();
    state.goTo(since + (until - since) * share, until + (until - since) * share);
  };

  const at = (event) => event.clientX - plot.getBoundingClientRect().left;
  const index = (x) => Math.floor((timeOf(view, x) - view.answer.since) / view.answer.step);
  plot.addEventListener("pointerdown", (event) => {
    if (!view.answer || event.button) return;
    view.drag = { from: at(event), to: at(event) };
    plot.setPointerCapture(event.pointerId);
    move(index(at(event)));
  });
  plot.addEventListener("pointermove", (event) => {
    if (!view.answer) return;
    if (view.drag) view.drag.to = at(event);
    move(index(at(event)));
  });
  plot.addEventListener("pointerup", () => {
    const { from, to } = view.drag ?? { from: 0, to: 0 };
    view.drag = null;
    if (Math.abs(to - from) > DRAG_PIXELS) {
      view.cursor = null;
      state.goTo(timeOf(view, Math.min(from, to)), timeOf(view, Math.max(from, to)));
    } else show();
  });
  plot.addEventListener("pointercancel", () => {
    view.drag = null;
    show();
  });
  plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && !view.drag && move(null));
  plot.addEventListener("dblclick", () => zoom(ZOOM));
  plot.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM);
  }, { passive: false });
  plot.addEventListener("keydown", (event) => {
    if (!view.answer || event.ctrlKey || event.metaKey) return;
    const last = steps(view.answer) - 1;
    const from = view.cursor ?? last;
    const actions = {
      ArrowLeft: () => move(from - 1), ArrowRight: () => move(from + 1), Home: () => move(0), End: () => move(last), Escape: () => move(null),
      PageUp: () => pan(-0.5), PageDown: () => pan(0.5), "+": () => zoom(1 / ZOOM), "=": () => zoom(1 / ZOOM), "-": () => zoom(ZOOM),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
  plot.addEventListener("blur", () => move(null));

  const sizes = new ResizeObserver(([entry]) => {
    view.width = Math.floor(entry.contentRect.width);
    show();
  });
  sizes.observe(plot);
  const unwatch = whileSeen(element, LOOK_SECONDS, () => (state.seconds || !view.answer) && !view.drag && look());
  state.onchange(look);
  look();
  return {
    element,
    close() {
      turn += 1;
      unwatch();
      sizes.disconnect();
    },
  };
}

// The answer over whole steps, as its buckets are.
const aligned = (answer) => ({ ...answer, since: Math.floor(answer.since / answer.step) * answer.step, until: Math.ceil(answer.until / answer.step) * answer.step });
const steps = ({ since, until, step }) => Math.max(1, Math.ceil((until - since) / step));
