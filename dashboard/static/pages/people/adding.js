// Adds somebody with their pictures; whoever has no good picture is not added.

import { attempt, post } from "../../core/api.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { formOf, Gathering } from "./gathering.js";

// `onchange` is called after somebody was added.
export function openAdding(onchange) {
  const name = h("input", { type: "text", autocomplete: "off", required: true, maxlength: 100 });
  const { consent, basis, element: reasons } = reasonFields();
  const gathering = new Gathering();
  const said = h("p", { class: "said", role: "status" });
  const save = h("button", { class: "button primary" }, "Add");
  const form = h("form", { class: "stack", onsubmit: submit },
    h("label", { class: "field" }, "Name", name), reasons, gathering.element, said, h("div", { class: "row" }, save));
  const dialog = openDialog("Add somebody", form, { onclose: () => gathering.close() });
  let person = null; // once the first picture was good
  name.focus();

  async function submit(event) {
    event.preventDefault();
    if (save.disabled) return;
    if (gathering.isEmpty) return tell("Add a picture first: nobody can be recognised without one.");
    save.disabled = true;
    tell("");
    await gathering.send((blob, refused) => attempt(() => enrol(blob), refused));
    save.disabled = false;
    if (person) onchange();
    if (person && gathering.isEmpty) return done();
    say(save, "Try again");
    return tell(person ? `${person.name} is known now; what was refused can be left out, or replaced.` : "No picture could be used, so nobody was added.");
  }

  async function enrol(blob) {
    if (person) return post(`/api/people/${person.id}/faces`, formOf(blob));
    person = await post("/api/people", formOf(blob, { name: name.value.trim(), consent: consent.value, legal_basis: basis.value.trim() }));
    name.readOnly = true;
    return person;
  }

  function done() {
    dialog.close();
    toast(`${person.name} is known now`, "good");
  }

  function tell(words) {
    say(said, words);
  }
}

// The date of consent and the legal basis, empty where a person has none.
export function reasonFields(person = {}) {
  const consent = h("input", { type: "date", value: person.consent ?? "" });
  const basis = h("input", { type: "text", autocomplete: "off", maxlength: 500, value: person.legal_basis ?? "" });
  return { consent, basis, element: h("div", { class: "grid" },
    h("label", { class: "field" }, "Consent given on", consent, h("span", { class: "hint" }, "the date, if there is consent")),
    h("label", { class: "field" }, "Legal basis", basis, h("span", { class: "hint" }, "or why else they may be known: a contract, a rule"))) };
}
