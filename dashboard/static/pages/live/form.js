// Adds a camera, after a look at what its URL shows, or changes or removes one.

import { ATTRIBUTES } from "../../core/attributes.js";
import { ApiError, del, patch, post } from "../../core/api.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { Rules } from "./rules.js";

const EXAMPLES = ["demo", "rtsp://user:password@10.0.0.7/main", "http://10.0.0.8/video.mjpg", "0"];
const NAMES = { DEFAULT: "default", ...Object.fromEntries(Object.entries(ATTRIBUTES).map(([id, { name }]) => [id, name])) };

// `camera` is to be changed; without one a new one is added, its URL filled in with `url`.
export function openForm({ camera = null, url = "" }) {
  const form = new CameraForm(camera, url);
  form.dialog = openDialog(camera ? `Change ${camera.id}` : "Add camera", form.element, { onclose: () => form.close() });
  form.focus();
}

class CameraForm {
  #camera;
  #fields;
  #rules;
  #said = h("p", { class: "said", role: "status" });
  #look = h("div", { class: "look" });
  #turn = 0;
  #isBusy = false;

  constructor(camera, url) {
    this.#camera = camera;
    this.#fields = fields(camera, url);
    this.#rules = new Rules(camera);
    this.element = h("form", { class: "stack camera-form", novalidate: true, onsubmit: (event) => this.#submit(event) },
      ...this.#rows(), this.#buttons());
  }

  focus() {
    this.#fields.url.focus();
  }

  close() {
    this.#rules.close();
  }

  #rows() {
    const { url, id, fps, attributes, names, preview } = this.#fields;
    attributes.addEventListener("change", () => (names.hidden = attributes.value !== "chosen"));
    return [
      h("div", { class: "source" }, field("URL", url), h("button", { class: "button", type: "button", onclick: () => this.#check() }, "Check")),
      this.#camera ? null : h("div", { class: "row examples", role: "group", "aria-label": "Examples" }, ...EXAMPLES.map((example) => this.#example(example))),
      this.#said, this.#look,
      h("p", { class: "muted" }, "An address, a file, a folder of pictures, a webcam (0), or demo. A password is stored, and never shown again."),
      h("div", { class: "grid" },
        this.#camera ? null : field("Name", id, "made of the URL if empty"),
        field("Frames a second", fps, "each is a call"),
        field("Attributes", attributes, "what is asked of each face"),
        field("Preview URL", preview, "optional: a smaller stream, for watching")),
      names,
      this.#rules.element,
    ].filter(Boolean);
  }

  #example(example) {
    return h("button", { class: "button mono", type: "button", onclick: () => this.#try(example) }, example);
  }

  #try(example) {
    this.#fields.url.value = example;
    this.focus();
  }

  #buttons() {
    const save = h("button", { class: "button primary", type: "submit" }, this.#camera ? "Save" : "Add");
    if (!this.#camera) return h("div", { class: "row" }, save);
    const remove = h("button", { class: "button danger", type: "button", onclick: () => this.#confirm(remove) }, "Remove");
    return h("div", { class: "row apart" }, save, remove);
  }

  // Removing is asked once: the button itself becomes the question.
  #confirm(button) {
    if (button.dataset.asked) return this.#do(() => del(`/api/cameras/${this.#camera.id}`), `${this.#camera.id} is removed`);
    button.dataset.asked = "yes";
    say(button, `Really remove ${this.#camera.id}?`);
  }

  async #check() {
    const turn = ++this.#turn;
    const url = this.#fields.url.value.trim();
    this.#tell("Looking at it: this takes some seconds …");
    this.#look.replaceChildren();
    try {
      const found = await post("/api/cameras/check", this.#camera ? { url, id: this.#camera.id } : { url });
      if (turn !== this.#turn) return;
      this.#tell(found.sentence, found.ok ? "good" : "error");
      if (found.picture) this.#seen(`data:image/jpeg;base64,${found.picture}`);
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
    }
  }

  #seen(picture) {
    this.#look.append(h("img", { src: picture, alt: `what ${this.#camera?.id ?? "the source"} shows` }));
    this.#rules.show(picture, "Its picture as it was just checked.");
  }

  #submit(event) {
    event.preventDefault();
    if (!this.#camera) return this.#do(() => post("/api/cameras", { ...said(this.#fields), ...this.#rules.changed }), "the camera is added");
    const members = { ...changed(this.#camera, said(this.#fields)), ...this.#rules.changed };
    if (!Object.keys(members).length) return this.dialog.close();
    return this.#do(() => patch(`/api/cameras/${this.#camera.id}`, members), `${this.#camera.id} is changed`);
  }

  async #do(action, done) {
    if (this.#isBusy) return undefined; // two clicks would add two cameras
    this.#isBusy = true;
    this.#turn += 1;
    try {
      await action();
    } catch (error) {
      return this.#failed(error);
    } finally {
      this.#isBusy = false;
    }
    this.dialog.close();
    toast(done, "good");
  }

  #failed(error) {
    if (!(error instanceof ApiError)) throw error;
    this.#tell(error.message, "error");
  }

  #tell(sentence, level = "") {
    say(this.#said, sentence);
    this.#said.className = `said ${level}`;
  }
}

function fields(camera, url) {
  const given = camera?.attributes ?? ["ALL"];
  const kind = given.includes("ALL") ? "all" : given.join() === "DEFAULT" ? "default" : "chosen";
  const boxes = Object.entries(NAMES).map(([id, name]) => h("label", { class: "field check" }, h("input", { type: "checkbox", value: id, checked: given.includes(id) }), name));
  const plain = { type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "off" };
  return {
    url: h("input", { ...plain, value: camera?.url ?? url, required: true }),
    id: h("input", { ...plain, value: "", maxlength: 40 }),
    fps: h("input", { type: "number", min: 0.01, max: 60, step: "any", value: camera?.fps ?? "", placeholder: "as set at the start", inputmode: "decimal" }),
    attributes: h("select", {}, ...["all", "default", "chosen"].map((one) => h("option", { value: one, selected: one === kind }, one))),
    names: h("fieldset", { class: "names", hidden: kind !== "chosen" }, h("legend", {}, "Chosen attributes"), ...boxes),
    preview: h("input", { ...plain, value: camera?.preview_url ?? "" }),
  };
}

function field(label, input, hint = "") {
  return h("label", { class: "field" }, label, input, hint ? h("span", { class: "hint" }, hint) : null);
}

// What the form says; what is empty is left to the server.
function said({ url, id, fps, attributes, names, preview }) {
  const chosen = [...names.querySelectorAll("input:checked")].map((box) => box.value).sort();
  const members = {
    url: url.value.trim(),
    id: id.value.trim() || undefined,
    fps: fps.value === "" ? undefined : Number(fps.value),
    attributes: attributes.value === "chosen" ? chosen : [attributes.value.toUpperCase()],
    preview_url: preview.value.trim() || null,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

// Only what differs: an unchanged URL keeps its hidden password without being sent.
function changed(camera, members) {
  const before = { ...camera, attributes: [...camera.attributes].sort() };
  return Object.fromEntries(Object.entries(members).filter(([name, value]) => JSON.stringify(before[name] ?? null) !== JSON.stringify(value)));
}
