// A camera's tile: its picture with boxes, how old both are, its state, and what it costs.

import { h, say } from "../../core/dom.js";
import { ageLevel, rate } from "../../core/format.js";
import { View } from "./view.js";
import { coverOf, isEmpty, resultAge, sceneOf, shortAge, sizeOf, staleness, stateOf, whoIsThere } from "./words.js";

const SCENE_LABELS = 4;

export class Tile {
  #camera;
  #parts;
  #covered = "";

  // `actions`: {open, change, pause}, each called with the camera.
  constructor(camera, painter, actions) {
    this.#camera = camera;
    this.#parts = parts(camera.id, actions, () => this.#camera);
    this.element = this.#parts.element;
    this.view = new View(this.#parts.canvas, painter, () => this.#tell());
    this.view.isInSight = this.view.isWatched = false; // until it is seen
    this.update(camera);
    this.#tell();
  }

  get camera() {
    return this.#camera;
  }

  update(camera) {
    this.#camera = camera;
    const { state, pause, size, scene } = this.#parts;
    const { word, level } = stateOf(camera);
    say(state, word);
    state.className = `badge ${level}`;
    say(pause, camera.paused ? "Resume" : "Pause");
    pause.setAttribute("aria-label", `${camera.paused ? "Resume" : "Pause"} ${camera.id}`);
    say(size, sizeOf(camera));
    this.view.isAnonymous = camera.purpose === "audience";
    say(scene, sceneOf(camera, SCENE_LABELS));
    this.#tell();
  }

  figures(figures, isPaid) {
    if (!figures) return;
    const { sampled, analysed, failed, superseded, dropped, saved = 0 } = figures.rates;
    const texts = [rate(sampled), rate(analysed + failed), rate(superseded + dropped + saved)];
    this.#parts.figures.forEach((element, index) => say(element, texts[index]));
    say(this.#parts.calls, isPaid ? "paid" : "calls");
  }

  close() {
    this.view.close();
    this.element.remove();
  }

  // Ages and what follows from them; called ten times a second, so it touches only what differs.
  #tell() {
    const { age } = this.view;
    const { picture, faces, sentence, element } = this.#parts;
    badge(picture, age, "");
    const result = this.view.result;
    if (isEmpty(this.#camera)) nobody(faces);
    else badge(faces, resultAge(result), result ? whoIsThere(result) : "");
    const stale = staleness(age, this.#camera, this.view.picture);
    if (stale !== this.#covered) element.className = `tile ${(this.#covered = stale)}`;
    say(sentence, sentenceOf(this.#camera, age, stale));
  }
}

function badge(element, age, what) {
  element.hidden = age === null;
  if (age === null) return;
  say(element, what ? `${what} · ${shortAge(age)}` : shortAge(age));
  const name = `badge on-picture ${ageLevel(age)}`;
  if (element.className !== name) element.className = name;
}

// What the gate says now; the age is that of no result.
function nobody(element) {
  element.hidden = false;
  say(element, "nobody there");
  element.className = "badge on-picture";
}

function sentenceOf(camera, age, stale) {
  if (stale === "covered") return coverOf(camera, age);
  const { word, sentence } = stateOf(camera);
  if (stale === "dimmed") return `${word === "live" ? "" : `${sentence} `}Last picture ${shortAge(age)} ago.`;
  return word === "live" ? "" : sentence;
}

function parts(id, actions, camera) {
  const canvas = h("canvas", { width: 16, height: 9, "aria-hidden": "true" });
  const picture = h("span", { class: "badge", title: "age of the picture" });
  const faces = h("span", { class: "badge", title: "faces found, and the age of the picture they were found in" });
  const sentence = h("p", { class: "sentence" });
  const state = h("span", { class: "badge" });
  const size = h("dd");
  const scene = h("dd");
  const pause = h("button", { class: "button quiet pause", type: "button", onclick: () => actions.pause(camera()) });
  const change = h("button", { class: "button quiet", type: "button", "aria-label": `Change ${id}`, onclick: () => actions.change(camera()) }, "Change");
  const view = h("button", { class: "picture", type: "button", "aria-label": `${id}: open in full size`, onclick: () => actions.open(camera()) },
    canvas, h("span", { class: "ages" }, picture, faces), sentence);
  const calls = h("dt", {}, "calls");
  const figures = [h("dd"), h("dd"), h("dd")];
  const list = h("dl", { class: "figures number" },
    h("div", { title: "pictures taken from the camera" }, h("dt", {}, "sampled"), figures[0]),
    h("div", { title: "calls of Rekognition" }, calls, figures[1]),
    h("div", { title: "pictures for which no call was made: nobody was in them, or a newer one replaced them" }, h("dt", {}, "saved"), figures[2]),
    h("div", { class: "scene", title: "labels of the scene" }, h("dt", { class: "visually-hidden" }, "labels of the scene"), scene),
    h("div", { class: "size" }, h("dt", { class: "visually-hidden" }, "the camera delivers"), size));
  const element = h("article", { class: "tile", "data-camera": id, "aria-label": `camera ${id}` },
    view, h("div", { class: "about" }, h("h2", {}, id), state, h("span", { class: "space" }), pause, change), list);
  return { element, canvas, picture, faces, sentence, state, size, scene, pause, calls, figures };
}
