// What a picture shows: labels with their parents, and where instances of them are.

import { h } from "../../core/dom.js";
import { number } from "../../core/format.js";
import { asking } from "./asking.js";
import { bar } from "./attributes.js";
import { details } from "./details.js";
import { picker } from "./picker.js";
import { drawBoxes, view } from "./view.js";

const COLORS = 7; // tokens --series-1 …

export function labels(desk) {
  let found = [], chosen = null;
  const canvas = view("a picture", take);
  const question = asking("/api/photos/labels", show);
  const confidence = h("input", { type: "number", min: 0, max: 100, value: "55", onchange: again });
  const most = h("input", { type: "number", min: 1, max: 1000, value: "", placeholder: "all", onchange: again });
  const panel = h("section", { class: "card photo-panel", hidden: true, "aria-label": "What was found" });
  const below = h("div", {});
  const element = h("div", { class: "stack" },
    h("div", { class: "photo-tools card row apart" },
      picker("a picture", take),
      h("div", { class: "row photo-numbers" },
        h("label", { class: "field" }, "least confidence, %", confidence), h("label", { class: "field" }, "most labels", most))),
    question.element,
    h("div", { class: "photo-desk" }, canvas.element, panel, below));

  function take(picture) {
    desk.picture = picture;
    panel.hidden = true;
    below.replaceChildren();
    canvas.show(picture);
    again();
  }

  function again() {
    if (desk.picture) question.ask({ image: desk.picture }, { min_confidence: confidence.value, max_labels: most.value });
  }

  function show(answer) {
    [found, chosen] = [answer.Labels, null];
    panel.hidden = false;
    panel.replaceChildren(
      h("p", { class: "photo-count" }, count(found.length)),
      h("ul", { class: "photo-labels" }, found.map(row)));
    below.replaceChildren(details(answer));
    redraw();
  }

  function row(label, index) {
    const places = label.Instances?.length ?? 0;
    const parents = (label.Parents ?? []).map((parent) => parent.Name).join(", ");
    const row = places ? { type: "button", "aria-pressed": "false", onclick: () => mark(index) } : {};
    return h("li", {}, h(places ? "button" : "div", { class: "photo-label", ...row, "data-index": index },
      h("span", { class: "photo-label-name" }, h("span", { class: "dot", style: { background: places ? `var(${color(index)})` : "transparent" } }), h("strong", {}, label.Name),
        places ? h("span", { class: "badge" }, places === 1 ? "1 place" : `${places} places`) : null),
      parents ? h("span", { class: "muted photo-parents" }, `parents: ${parents}`) : null,
      bar(label.Confidence)));
  }

  function mark(index) {
    chosen = chosen === index ? null : index;
    panel.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", Number(button.dataset.index) === chosen));
    redraw();
  }

  function redraw() {
    const boxes = found.flatMap((label, index) => (chosen === null || chosen === index
      ? (label.Instances ?? []).map((one) => ({ box: one.BoundingBox, text: label.Name, color: color(index) })) : []));
    canvas.draw((context, width, height) => drawBoxes(context, boxes, width, height));
  }

  const color = (index) => `--series-${(index % COLORS) + 1}`;
  if (desk.picture) take(desk.picture);
  return { element, take, close: () => (question.close(), canvas.close()) };
}

function count(labels) {
  if (!labels) return "Nothing was recognised with that confidence.";
  return labels === 1 ? "One label" : `${number(labels)} labels`;
}
