// One camera in full size: exactly the analysed picture, its faces in words, the raw response, the last results.

import { get } from "../../core/api.js";
import { copy, openDialog } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { faceWords } from "../../core/faces.js";
import { age as inSeconds, ageLevel, clockTime, rate } from "../../core/format.js";
import { counts, rename } from "../../core/people.js";
import { showFaces } from "./naming.js";
import { View } from "./view.js";
import { coverOf, faceCount, isEmpty, resultAge, sceneOf, shortAge, sizeOf, staleness, stateOf, whoIsThere } from "./words.js";

const STRIP = 20;
const SCENE_LABELS = 10;
const TELL_MS = 500; // words that change more often cannot be read

// `page`: {store, painter, ids, change, pause, onmove, onclose}. Returns the open detail.
export function openDetail(camera, page) {
  return new Detail(camera, page);
}

class Detail {
  view = null;

  #page;
  #ui;
  #dialog;
  #results = []; // newest first
  #chosen = null; // a result that was picked from the strip; null: follow the newest
  #shown = null;
  #toldAt = 0;
  #turn = 0;

  constructor(camera, page) {
    this.#page = page;
    this.#ui = parts({
      step: (by) => this.#step(by),
      change: () => page.change(this.#camera()),
      pause: () => page.pause(this.#camera()),
      landmarks: (isOn) => this.#landmarks(isOn),
      follow: () => this.#choose(null),
      copy: () => copy(JSON.stringify(this.#shown, null, 2)),
    });
    this.#dialog = openDialog("Camera", this.#ui.element, { wide: true, onclose: () => this.#closed() });
    this.#dialog.classList.add("detail");
    this.#dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#show(camera);
  }

  close() {
    this.#dialog.close();
  }

  // Takes note of a result of any camera.
  result(result) {
    if (result.camera !== this.camera) return;
    this.view.know(result);
    this.#results = [result, ...this.#results].slice(0, STRIP);
  }

  // Takes note of who somebody is.
  rename(person) {
    this.view.rename(person);
    for (const result of [...this.#results, this.#chosen, this.#shown]) if (result) rename(result, person);
    this.#shown = null;
    this.#tellResults();
  }

  // Takes note of a change in the list of cameras.
  update() {
    const camera = this.#camera();
    if (!camera) return this.close();
    const { word, level } = stateOf(camera);
    say(this.#ui.state, word);
    this.#ui.state.className = `badge ${level}`;
    say(this.#ui.size, sizeOf(camera));
    say(this.#ui.pause, camera.paused ? "Resume" : "Pause");
    this.view.isAnonymous = camera.purpose === "audience";
    say(this.#ui.about, aboutOf(camera));
    this.#ui.notice.href = `/api/cameras/${encodeURIComponent(camera.id)}/notice`;
  }

  #camera() {
    return this.#page.store.cameras.get(this.camera);
  }

  async #show(id) {
    const turn = ++this.#turn;
    this.camera = id;
    say(this.#dialog.querySelector(".head h2"), id);
    this.#dialog.setAttribute("aria-label", `camera ${id}`);
    this.view?.close();
    const canvas = h("canvas", { role: "img", "aria-label": `the newest analysed picture of ${id}` });
    this.#ui.stage.replaceChildren(canvas, this.#ui.ages, this.#ui.sentence);
    this.view = new View(canvas, this.#page.painter, () => this.#tell());
    this.view.landmarks = this.#ui.landmarks.checked;
    this.#results = [];
    this.#choose(null);
    this.update();
    history.replaceState(history.state, "", `#camera=${encodeURIComponent(id)}`);
    this.#page.onmove();
    const { results } = await get(`/api/results?camera=${encodeURIComponent(id)}&limit=${STRIP}`).catch(() => ({ results: [] }));
    if (turn !== this.#turn || !this.#dialog.open) return;
    results.forEach((result) => this.view.know(result));
    this.#results = [...this.#results, ...results.reverse().filter(({ id: one }) => !this.#results.some((other) => other.id === one))].slice(0, STRIP);
    this.#tellResults();
  }

  #step(by) {
    const ids = this.#page.ids();
    const next = ids[(ids.indexOf(this.camera) + by + ids.length) % ids.length];
    if (next && next !== this.camera) this.#show(next);
  }

  #key(event) {
    const isWriting = event.target.closest("input:not([type=checkbox]), textarea, select, .strip, pre");
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || isWriting || event.target.closest("dialog") !== this.#dialog) return;
    event.preventDefault();
    this.#step(by);
  }

  #landmarks(isOn) {
    this.view.landmarks = isOn;
    this.view.redraw();
  }

  #choose(result) {
    this.#chosen = result;
    this.#ui.follow.hidden = result === null;
    this.#tellResults();
  }

  #tellResults() {
    this.#toldAt = performance.now();
    this.#tellFaces(this.#chosen ?? this.#results[0] ?? null);
    if (!this.#ui.strip.matches(":hover, :focus-within")) this.#tellStrip(); // what one is about to click stays where it is
    for (const entry of this.#ui.strip.children) entry.setAttribute("aria-pressed", String(entry.dataset.id === this.#chosen?.id));
  }

  #tellStrip() {
    const known = new Map([...this.#ui.strip.children].map((entry) => [entry.dataset.id, entry]));
    this.#ui.strip.replaceChildren(...this.#results.map((result) => known.get(result.id) ?? stripEntry(result, () => this.#choose(result))));
  }

  #tellFaces(result) {
    if (result && result.id === this.#shown?.id) return;
    this.#shown = result;
    const { faces, raw } = this.#ui;
    showFaces(faces, result, this.view.isAnonymous);
    say(raw, result ? JSON.stringify(result, null, 2) : "");
  }

  // Ages, ten times a second.
  #tell() {
    const camera = this.#camera();
    if (!camera) return;
    if (performance.now() - this.#toldAt > TELL_MS) this.#tellResults();
    const { age } = this.view;
    const stale = staleness(age, camera, this.view.picture);
    this.#ui.stage.className = `stage ${stale}`;
    say(this.#ui.ages, age === null ? "" : `${whoIsThere(this.view.result)} · ${shortAge(resultAge(this.view.result) ?? age)}`);
    this.#ui.ages.className = `badge ages ${isEmpty(camera) ? "" : ageLevel(age ?? 0)}`;
    const { word, sentence } = stateOf(camera);
    const late = isEmpty(camera) ? `Nobody is there: the last picture that was analysed is ${shortAge(age ?? 0)} old.` : stale ? `Last picture ${shortAge(age ?? 0)} ago.` : "";
    say(this.#ui.sentence, stale === "covered" ? coverOf(camera, age) : `${word === "live" ? "" : sentence} ${late}`.trim());
  }

  #closed() {
    this.#turn += 1;
    this.view.close();
    this.#page.onclose();
  }
}

// What the camera is for, what its gate does, and what else is in its picture.
function aboutOf(camera) {
  const { gate } = camera.status;
  return [
    `Purpose: ${camera.purpose}`,
    gate && `${rate(gate.saved)} saved · ${gate.sees}`,
    camera.scene && `In the picture: ${sceneOf(camera, SCENE_LABELS) || "nothing that has a name"}`,
  ].filter(Boolean).join(" · ");
}

function stripEntry(result, choose) {
  const what = result.error ? "failed" : (result.FaceDetails ?? []).filter(counts).map((face) => faceWords(face).line || "a face").slice(0, 2).join(" · ") || "no face";
  return h("button", { class: "button entry", type: "button", "data-id": result.id, "aria-pressed": "false", onclick: choose },
    h("strong", { class: "number" }, clockTime(result.captured_at)),
    h("span", { class: result.error ? "error" : "" }, result.error ? "failed" : faceCount(result)),
    h("span", { class: "muted line" }, what),
    h("span", { class: "badge number" }, inSeconds(result.age_seconds)));
}

function parts(actions) {
  const ui = {
    stage: h("div", { class: "stage" }),
    ages: h("span", { class: "badge ages" }),
    sentence: h("p", { class: "sentence" }),
    state: h("span", { class: "badge" }),
    size: h("span", { class: "muted number" }),
    pause: h("button", { class: "button", type: "button", onclick: actions.pause }, "Pause"),
    landmarks: h("input", { type: "checkbox", onchange: (event) => actions.landmarks(event.target.checked) }),
    follow: h("button", { class: "button", type: "button", hidden: true, onclick: actions.follow }, "Follow the newest"),
    faces: h("div", { class: "faces" }),
    about: h("p", { class: "muted about" }),
    notice: h("a", { class: "button", target: "_blank", rel: "noopener" }, "Notice to print"),
    strip: h("div", { class: "strip", role: "group", "aria-label": "The last results", tabindex: 0 }),
    raw: h("pre", { tabindex: 0, "aria-label": "Raw response" }),
  };
  const bar = h("div", { class: "row apart" },
    h("div", { class: "row" },
      h("button", { class: "button", type: "button", "aria-label": "Previous camera", onclick: () => actions.step(-1) }, "←"),
      h("button", { class: "button", type: "button", "aria-label": "Next camera", onclick: () => actions.step(1) }, "→"),
      ui.state, ui.size),
    h("div", { class: "row" },
      h("label", { class: "field check" }, ui.landmarks, "Landmarks"),
      ui.pause,
      ui.notice,
      h("button", { class: "button", type: "button", onclick: actions.change }, "Change")));
  ui.element = h("div", { class: "halves" },
    h("div", { class: "stack" }, bar, ui.stage, ui.about, h("h3", {}, "The last results"), ui.strip),
    h("div", { class: "stack" }, ui.follow, ui.faces,
      h("details", {}, h("summary", {}, "Raw response"),
        h("div", { class: "stack" }, h("button", { class: "button", type: "button", onclick: actions.copy }, "Copy"), ui.raw))));
  return ui;
}
