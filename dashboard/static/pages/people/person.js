// One person: name, consent, faces; more pictures; forgetting, with the proof.

import { attempt, del, get, patch, post } from "../../core/api.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { day } from "../../core/format.js";
import { reasonFields } from "./adding.js";
import { formOf, Gathering } from "./gathering.js";
import { marksOf } from "./known.js";
import { proofOf } from "./proof.js";

// `onchange` is called after something about them changed.
export async function openPerson(id, onchange) {
  const here = location.pathname;
  const person = await attempt(() => get(`/api/people/${encodeURIComponent(id)}`), (message) => toast(message, "bad"));
  if (person && location.pathname === here) new PersonDialog(person, onchange);
}

class PersonDialog {
  #person;
  #onchange;
  #dialog;
  #faces = h("ul", { class: "people-faces", role: "list" });
  #marks = h("div", { class: "row" });
  #said = h("p", { class: "error", role: "status" });
  #gathering = new Gathering();
  #body = h("div", { class: "stack" });

  constructor(person, onchange) {
    this.#onchange = onchange;
    this.#person = person;
    this.#body.append(this.#marks, this.#members(), h("h3", {}, "Faces"), this.#faces, this.#gathering.element, this.#buttons(), this.#said);
    this.#dialog = openDialog(person.name, this.#body, { onclose: () => this.#gathering.close() });
    this.#show(person);
  }

  #show(person) {
    this.#person = person;
    say(this.#dialog.querySelector(".head h2"), person.name);
    this.#marks.replaceChildren(...marksOf(person).map(([words, level]) => h("span", { class: `badge ${level}` }, words)));
    const elsewhere = person.elsewhere ? [h("li", { class: "muted" }, `${person.elsewhere} more with another provider, of no use here`)] : [];
    this.#faces.replaceChildren(...person.faces.map((face) => this.#face(face)), ...elsewhere);
    if (!this.#faces.children.length) this.#faces.append(h("li", { class: "muted" }, "None yet: nobody can be recognised without one."));
  }

  #members() {
    const name = h("input", { type: "text", autocomplete: "off", required: true, maxlength: 100, value: this.#person.name });
    const { consent, basis, element } = reasonFields(this.#person);
    const save = (event) => {
      event.preventDefault();
      this.#change({ name: name.value.trim(), consent: consent.value || null, legal_basis: basis.value.trim() || null });
    };
    return h("form", { class: "stack", onsubmit: save }, h("label", { class: "field" }, "Name", name), element,
      h("div", { class: "row" }, h("button", { class: "button" }, "Save")));
  }

  #face({ id, added, height, sharpness, brightness }) {
    const measured = [height && `${height} px high`, sharpness && `sharpness ${Math.round(sharpness)}`, brightness && `brightness ${Math.round(brightness)}`];
    return h("li", {}, h("span", {}, `added ${day(added)}`), h("span", { class: "muted" }, measured.filter(Boolean).join(", ")),
      h("button", { class: "button", type: "button", "aria-label": `Remove the face added ${day(added)}`, onclick: () => this.#remove(id) }, "Remove"));
  }

  #buttons() {
    const add = h("button", { class: "button primary", type: "button", onclick: () => this.#add(add) }, "Enrol these pictures");
    const forget = h("button", { class: "button danger", type: "button", onclick: () => this.#confirm(forget) }, "Forget …");
    const all = h("a", { class: "button", href: `${this.#path()}/export`, download: "" }, "Export all that is kept");
    return h("div", { class: "row apart" }, add, h("div", { class: "row" }, all, forget));
  }

  async #change(members) {
    const changes = Object.fromEntries(Object.entries(members).filter(([name, value]) => (this.#person[name] ?? null) !== value));
    if (Object.keys(changes).length && await this.#do(() => patch(this.#path(), changes))) toast("saved", "good");
  }

  async #remove(face) {
    await this.#do(async () => (await del(`${this.#path()}/faces/${encodeURIComponent(face)}`), get(this.#path())));
  }

  async #add(button) {
    if (this.#gathering.isEmpty) return say(this.#said, "Add a picture first.");
    button.disabled = true;
    await this.#gathering.send(async (blob, refused) => {
      const person = await attempt(() => post(`${this.#path()}/faces`, formOf(blob)), refused);
      if (person) this.#show(person);
      return person;
    });
    button.disabled = false;
    return this.#onchange();
  }

  // Forgetting is asked once: the button itself becomes the question.
  async #confirm(button) {
    if (!button.dataset.asked) {
      button.dataset.asked = "yes";
      return say(button, `Really forget ${this.#person.name}, everywhere?`);
    }
    button.disabled = true;
    say(this.#said, "");
    const proof = await attempt(() => post(`${this.#path()}/forget`, {}), (message) => say(this.#said, message));
    button.disabled = false;
    if (!proof) return undefined;
    this.#body.replaceChildren(proofOf(proof));
    this.#dialog.scrollTop = 0;
    return this.#onchange();
  }

  // Does something that answers the person as they are then.
  async #do(action) {
    say(this.#said, "");
    const person = await attempt(action, (message) => say(this.#said, message));
    if (!person) return false;
    this.#show(person);
    this.#onchange();
    return true;
  }

  #path() {
    return `/api/people/${encodeURIComponent(this.#person.id)}`;
  }
}
