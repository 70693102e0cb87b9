// The rules of a camera in its form: what it is for, when it looks, what a call is spent on, which faces count, and where.

import { h, say } from "../../core/dom.js";
import { clockTime } from "../../core/format.js";
import { Areas } from "./areas.js";

const PURPOSES = {
  access: "People are named; emotions are neither asked for nor told.",
  watch: "People of watch lists are told of; emotions are neither asked for nor told.",
  audience: "Nobody is identified, and no picture is kept.",
  test: "Everything is found out, for trying things out.",
};
const GATES = {
  "": "As set at the start: a face where calls cost money, else off.",
  off: "Every sampled picture is analysed.",
  motion: "A picture in which nothing moves costs no call.",
  face: "A picture in which no face is seen here costs no call.",
};

export class Rules {
  #camera;
  #fields;
  #before;
  #areas;
  #picture = "";

  constructor(camera) {
    this.#camera = camera;
    this.#fields = fields(camera);
    this.#before = this.#said();
    this.#areas = new Areas({ zones: camera?.zones ?? [], masks: camera?.masks ?? [] });
    this.#before = { ...this.#before, ...this.#areas.value };
    const { purpose, gate, labels, schedule, smallest } = this.#fields;
    const areas = h("details", { ontoggle: () => areas.open && !this.#picture && this.look() }, h("summary", {}, "Zones and masks"), this.#areas.element);
    this.element = h("details", { class: "rules" }, h("summary", {}, "Rules: purpose, zones, gate, schedule"),
      h("div", { class: "stack" },
        h("div", { class: "grid" },
          choice("Purpose", purpose, PURPOSES), choice("Gate", gate, GATES),
          field("Labels of the scene", labels, "off, or how often: every 10s"),
          field("Schedule", schedule, "when it looks, for example mon-fri 08:00-18:00; empty: always"),
          field("Smallest face", smallest, "pixels of height below which a face does not count")),
        areas));
  }

  // The members that were changed here.
  get changed() {
    const said = { ...this.#said(), ...this.#areas.value };
    return Object.fromEntries(Object.entries(said).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(this.#before[name])));
  }

  close() {
    URL.revokeObjectURL(this.#picture);
  }

  // Shows a picture that somebody has.
  show(url, words) {
    this.close();
    this.#picture = url;
    this.#areas.show(url, words);
  }

  // Fetches the newest analysed picture.
  async look() {
    if (!this.#camera) return this.#areas.show("", "Press Check above: then its picture is shown here.");
    const response = await fetch(`/api/cameras/${this.#camera.id}/frame.jpg`).catch(() => null);
    if (!response?.ok) return this.#areas.show("", "There is no picture of it now: press Check above for one.");
    const at = Number(response.headers.get("X-Frame-Captured-At"));
    return this.show(URL.createObjectURL(await response.blob()), `Its picture of ${clockTime(at)}.`);
  }

  #said() {
    const { purpose, gate, labels, schedule, smallest } = this.#fields;
    return {
      purpose: purpose.value,
      gate: gate.value || undefined,
      labels: labels.value.trim() || "off",
      schedule: schedule.value.trim(),
      smallest_face: Number(smallest.value || 0),
    };
  }
}

function fields(camera) {
  const plain = { type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "off" };
  const gates = Object.keys(GATES).filter((name) => name || !camera);
  return {
    purpose: options(Object.keys(PURPOSES), camera?.purpose ?? "test"),
    gate: options(gates, camera?.gate ?? ""),
    labels: h("input", { ...plain, value: camera?.labels ? `every ${camera.labels}s` : "off" }),
    schedule: h("input", { ...plain, value: camera?.schedule ?? "", placeholder: "always" }),
    smallest: h("input", { type: "number", min: 0, max: 2000, step: 1, value: camera?.smallest_face ?? 0, inputmode: "numeric" }),
  };
}

const options = (names, chosen) => h("select", {}, ...names.map((name) => h("option", { value: name, selected: name === chosen }, name || "as set at the start")));

const field = (label, input, hint) => h("label", { class: "field" }, label, input, h("span", { class: "hint" }, hint));

// A choice whose hint says what is chosen.
function choice(label, select, sentences) {
  const hint = h("span", { class: "hint" }, sentences[select.value]);
  select.addEventListener("change", () => say(hint, sentences[select.value]));
  return h("label", { class: "field" }, label, select, hint);
}
