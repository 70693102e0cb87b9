// The faces of a result in words, and what people say of them: "this is …", "not this person".

import { ApiError, del, get, post } from "../../core/api.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { keyed } from "../../core/keyed.js";
import { WHY_IGNORED, whoIs } from "../../core/people.js";
import { attributeTable } from "./attributes.js";

// Fills `container`: a section a face, which stays where it is while its track does, so that its buttons can be pressed.
export function showFaces(container, result, anonymous) {
  const found = (result?.FaceDetails ?? []).map((face, index) => ({ face, index, key: face.Track ?? `face ${index}` }));
  const update = (section, { face, index }) => fill(section, face, `${found.length > 1 ? `${index + 1} · ` : ""}${title(face, anonymous)}`, result);
  keyed(container, found.length ? found : [nothing(result)], ({ key }) => key, (one) => (one.words ? h("p", { class: one.level }, one.words) : faceSection(one.face, anonymous)), (element, one) => (one.words ? say(element, one.words) : update(element, one)));
}

function nothing(result) {
  if (result?.error) return { key: "failed", level: "error", words: `The analysis failed: ${result.error.Message}` };
  return { key: "none", level: "muted", words: result ? "No face was found in this picture." : "No result yet." };
}

const title = (face, anonymous) => (anonymous ? "" : whoIs(face)) || "a face";

function faceSection(face, anonymous) {
  const buttons = face.Track && !anonymous && !face.Ignored
    ? [
      h("button", { class: "button say", type: "button", onclick: () => openNaming(face.Track) }, "This is …"),
      h("button", { class: "button unsay", type: "button", onclick: () => unname(face.Track) }, "Not this person"),
    ]
    : [];
  return h("section", { class: "face" }, h("h3", {}), h("p", { class: "muted why" }), h("div", { class: "row" }, ...buttons), h("div", { class: "told" }));
}

function fill(section, face, words, result) {
  say(section.querySelector("h3"), words);
  const why = section.querySelector(".why");
  say(why, WHY_IGNORED[face.Ignored] ?? "");
  why.hidden = !face.Ignored;
  const unsay = section.querySelector(".unsay");
  if (unsay) unsay.hidden = !face.Person;
  section.querySelector(".told").replaceChildren(attributeTable(face, result));
}

// Asks who the face of a track is: somebody who is known, or a new name.
async function openNaming(track) {
  const { people } = await get("/api/people").catch(() => ({ people: [] }));
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

async function unname(track) {
  const answer = await attempt(() => del(`/api/tracks/${encodeURIComponent(track)}/person`), (message) => toast(message, "bad"));
  if (answer) toast("the name is taken back, here and in what was seen before", "good");
}

async function attempt(action, onrefused) {
  try {
    return (await action()) ?? {};
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    onrefused(error.message);
    return null;
  }
}
