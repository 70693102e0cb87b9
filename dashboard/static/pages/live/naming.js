// The faces of a result in words, and what people say of them: "this is …", "not this person".

import { h, say } from "../../core/dom.js";
import { keyed } from "../../core/keyed.js";
import { openNaming, unname } from "../../core/naming.js";
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
