// What people say of a face that was seen: "this is …", "not this person".

import { attempt, del, get, post } from "./api.js";
import { openDialog, toast } from "./dialog.js";
import { h, say } from "./dom.js";

// Asks who the face of a track is: somebody who is known, or a new name.
export async function openNaming(track) {
  const here = location.pathname;
  const { people } = await get("/api/people").catch(() => ({ people: [] }));
  if (location.pathname !== here) return;
  const known = h("datalist", { id: "known-people" }, ...people.map(({ name }) => h("option", { value: name })));
  const name = h("input", { type: "text", list: "known-people", autocomplete: "off", required: true, maxlength: 100 });
  const enrol = h("input", { type: "checkbox", checked: true });
  const said = h("p", { class: "error", role: "status" });
  const picture = h("img", { class: "crop", alt: "the face that was seen", src: `/api/tracks/${encodeURIComponent(track)}/face.jpg`, onerror: () => (picture.hidden = true) });
  const form = h("form", { class: "stack naming", onsubmit: submit },
    picture, known,
    h("label", { class: "field" }, "Name", name, h("span", { class: "hint" }, people.length ? "choose somebody who is known, or write a new name" : "nobody is known yet: write the first name")),
    h("label", { class: "field check" }, enrol, "Enrol this face, so that it is recognised from now on"),
    said, h("div", { class: "row" }, h("button", { class: "button primary" }, "This is the person")));
  const dialog = openDialog("Who is this?", form);
  name.focus();

  async function submit(event) {
    event.preventDefault();
    const answer = await attempt(() => post(`/api/tracks/${encodeURIComponent(track)}/person`, { person: name.value.trim(), enrol: enrol.checked }), (message) => say(said, message));
    if (!answer) return;
    dialog.close();
    toast(answer.enrolled || !enrol.checked ? `this is ${name.value.trim()}` : `this is ${name.value.trim()}, but the face was not enrolled: ${answer.why}`, answer.enrolled || !enrol.checked ? "good" : "");
  }
}

export async function unname(track) {
  const answer = await attempt(() => del(`/api/tracks/${encodeURIComponent(track)}/person`), (message) => toast(message, "bad"));
  if (answer) toast("the name is taken back, here and in what was seen before", "good");
}
