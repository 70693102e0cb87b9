// Zones and masks on the camera's picture: drawn with mouse, touch or arrow keys, and told in numbers below it.

import { h, say } from "../../core/dom.js";
import { keyed } from "../../core/keyed.js";
import { rounded, written, understood, between } from "./corners.js";

const SVG = "http://www.w3.org/2000/svg";
const KINDS = { zones: "zone", masks: "mask" };
const FEWEST = 3;
const STEP = 0.01;
const LONG_STEP = 0.05;
const SMALLEST = 0.02; // of the picture: what is dragged less far was a click
const FIRST = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HELP = "Drag corners and shapes, or draw with the mouse. With the keyboard: arrow keys move a corner, Enter adds one after it, Delete takes it away.";

let numbers = 0;

export class Areas {
  #areas;
  #picture = h("img", { alt: "", hidden: true, draggable: "false" });
  #shapes = document.createElementNS(SVG, "svg");
  #handles = h("div", { class: "handles" });
  #list = h("ul", { class: "areas-list", role: "list" });
  #caption = h("p", { class: "muted number" });
  #said = h("p", { class: "visually-hidden", role: "status" });
  #stage;
  #grip = null; // what is being dragged

  constructor({ zones, masks }) {
    this.#areas = [...zones.map((corners) => area("zones", corners)), ...masks.map((corners) => area("masks", corners))];
    this.#shapes.setAttribute("viewBox", "0 0 1 1");
    this.#shapes.setAttribute("preserveAspectRatio", "none");
    this.#shapes.setAttribute("aria-hidden", "true");
    this.#stage = h("div", { class: "areas-stage" }, this.#picture, this.#shapes, this.#handles);
    this.#stage.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#stage.addEventListener("pointermove", (event) => this.#drag(event));
    for (const kind of ["pointerup", "pointercancel"]) this.#stage.addEventListener(kind, () => (this.#grip = null));
    this.element = h("div", { class: "areas stack" },
      h("p", { class: "muted" }, "Faces count inside zones only (everywhere without any). What lies under a mask is blacked out before it leaves the camera's process."),
      this.#stage, this.#caption,
      h("p", { class: "muted" }, HELP), this.#said,
      h("div", { class: "row" }, ...Object.entries(KINDS).map(([kind, name]) =>
        h("button", { class: "button", type: "button", onclick: () => this.#add(kind, FIRST) }, `Add ${name}`))),
      this.#list);
    this.#draw();
  }

  // {zones, masks} as the API has them.
  get value() {
    const of = (kind) => this.#areas.filter((one) => one.kind === kind).map((one) => one.corners.map(rounded));
    return { zones: of("zones"), masks: of("masks") };
  }

  // Lays the shapes over a picture; `words` say which one it is.
  show(url, words) {
    this.#picture.hidden = !url;
    if (url) this.#picture.src = url;
    say(this.#caption, words);
  }

  #add(kind, corners) {
    const added = area(kind, corners.map((corner) => [...corner]));
    this.#areas.push(added);
    this.#draw();
    this.#handles.querySelector(`[data-key="${added.id}-0"]`)?.focus();
    return added;
  }

  #remove(one) {
    this.#areas = this.#areas.filter((other) => other !== one);
    this.#draw();
  }

  #draw() {
    keyed(this.#shapes, this.#areas, ({ id }) => id, polygon, (element, one) => {
      element.setAttribute("class", one.kind);
      element.setAttribute("points", one.corners.map(([x, y]) => `${x},${y}`).join(" "));
    });
    const corners = this.#areas.flatMap((one) => one.corners.map((_, index) => ({ one, index })));
    keyed(this.#handles, corners, ({ one, index }) => `${one.id}-${index}`, (corner) => this.#handle(corner), (element, { one, index }) => {
      Object.assign(element.style, { left: `${one.corners[index][0] * 100}%`, top: `${one.corners[index][1] * 100}%` });
      element.className = `handle ${one.kind}`;
      element.setAttribute("aria-label", this.#cornerName(one, index));
    });
    keyed(this.#list, this.#areas, ({ id }) => id, (one) => this.#row(one), (row, one) => this.#fill(row, one));
  }

  #handle({ one, index }) {
    return h("button", { type: "button", "data-area": one.id, "data-index": index, onkeydown: (event) => this.#key(event, one, index) });
  }

  #name(one) {
    return `${KINDS[one.kind]} ${this.#areas.filter(({ kind }) => kind === one.kind).indexOf(one) + 1}`;
  }

  #cornerName(one, index) {
    const [x, y] = one.corners[index].map((part) => Math.round(part * 100));
    return `${this.#name(one)}, corner ${index + 1}: ${x} % from the left, ${y} % from the top`;
  }

  #row(one) {
    const problem = h("span", { class: "error" });
    const input = h("input", { type: "text", spellcheck: "false", autocomplete: "off", inputmode: "text", onchange: () => this.#write(one, input, problem) });
    return h("li", {},
      h("label", { class: "field" }, h("span", { class: `name ${one.kind}` }), input, problem),
      h("button", { class: "button", type: "button", onclick: () => this.#remove(one) }, "Remove"));
  }

  #fill(row, one) {
    const [label, input, button] = [row.querySelector(".name"), row.querySelector("input"), row.querySelector("button")];
    say(label, `${this.#name(one)[0].toUpperCase()}${this.#name(one).slice(1)}: corners in percent`);
    button.setAttribute("aria-label", `Remove ${this.#name(one)}`);
    if (input !== document.activeElement) input.value = written(one.corners);
  }

  #write(one, input, problem) {
    const corners = understood(input.value);
    say(problem, corners ? "" : "Write at least three corners as pairs from 0 to 100, for example 0,50 100,50 100,100 0,100");
    if (!corners) return;
    one.corners = corners;
    this.#draw();
  }

  #key(event, one, index) {
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = event.shiftKey ? LONG_STEP : STEP;
      one.corners[index] = within(one.corners[index].map((part, axis) => part + arrow[axis] * step));
    } else if (event.key === "Enter") {
      one.corners.splice(index + 1, 0, between(one.corners, index));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      if (one.corners.length > FEWEST) one.corners.splice(index, 1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.#draw();
    say(this.#said, one.corners[index] ? this.#cornerName(one, index) : "");
  }

  // A corner is dragged alone, a shape as a whole, and a mouse on the picture itself begins a new shape.
  #grab(event) {
    if (event.button || this.#grip) return;
    const at = this.#place(event);
    const { area: id, index, key } = event.target.dataset;
    const one = this.#areas.find((other) => String(other.id) === (id ?? key));
    if (one) this.#grip = { one, index: index === undefined ? null : Number(index), at };
    else if (event.pointerType !== "touch") this.#grip = { one: null, at };
    else return;
    this.#stage.setPointerCapture(event.pointerId);
    if (event.target.focus) event.target.focus();
    event.preventDefault();
  }

  #drag(event) {
    const grip = this.#grip;
    if (!grip) return;
    const at = this.#place(event);
    if (!grip.one) return this.#begin(grip, at);
    if (grip.index !== null) grip.one.corners[grip.index] = at;
    else if (grip.from) grip.one.corners = box(grip.from, at);
    else {
      move(grip.one, at[0] - grip.at[0], at[1] - grip.at[1]);
      grip.at = at;
    }
    return this.#draw();
  }

  #begin(grip, at) {
    if (Math.abs(at[0] - grip.at[0]) < SMALLEST || Math.abs(at[1] - grip.at[1]) < SMALLEST) return;
    Object.assign(grip, { one: this.#add("zones", box(grip.at, at)), index: null, from: grip.at });
  }

  #place(event) {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return within([(event.clientX - left) / width, (event.clientY - top) / height]);
  }
}

const area = (kind, corners) => ({ id: (numbers += 1), kind, corners: corners.map((corner) => [...corner]) });
const within = (corner) => corner.map((part) => Math.min(1, Math.max(0, part)));
const box = ([x1, y1], [x2, y2]) => [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];

// Moves a shape as far as the picture allows.
function move(one, dx, dy) {
  const by = [dx, dy].map((step, axis) => {
    const parts = one.corners.map((corner) => corner[axis]);
    return Math.max(-Math.min(...parts), Math.min(1 - Math.max(...parts), step));
  });
  one.corners = one.corners.map((corner) => corner.map((part, axis) => part + by[axis]));
}

function polygon() {
  return document.createElementNS(SVG, "polygon");
}
