// Two pictures: which faces of the second are the largest face of the first.

import { h } from "../../core/dom.js";
import { number } from "../../core/format.js";
import { asking } from "./asking.js";
import { bar } from "./attributes.js";
import { details } from "./details.js";
import { picker } from "./picker.js";
import { drawBoxes, view } from "./view.js";

export function comparison(desk) {
  const pictures = { source: null, target: null };
  const question = asking("/api/photos/compare", show);
  const threshold = h("input", { type: "number", min: 0, max: 100, value: "80", onchange: again });
  const slots = { source: slot("source", "the first picture"), target: slot("target", "the second picture") };
  const verdict = h("section", { class: "card photo-verdict", hidden: true, "aria-label": "How alike they are" });
  const below = h("div", {});
  const element = h("div", { class: "stack" },
    h("div", { class: "photo-pair" }, ["source", "target"].map((name) => h("div", { class: "stack" },
      h("div", { class: "photo-tools card" },
        h("div", { class: "row apart" }, h("h2", {}, name === "source" ? "Whose face" : "In which picture"),
          name === "target" ? h("label", { class: "photo-threshold row" }, "alike from", threshold, "%") : null),
        slots[name].picker),
      slots[name].view.element))),
    question.element, verdict, below);

  function slot(name, what) {
    const pick = (picture) => put(name, picture);
    return { picker: picker(what, pick), view: view(what, pick) };
  }

  function put(name, picture) {
    pictures[name] = picture;
    desk.picture = picture;
    slots[name].view.show(picture);
    verdict.hidden = true;
    below.replaceChildren();
    again();
  }

  function again() {
    if (pictures.source && pictures.target) question.ask(pictures, { similarity_threshold: threshold.value });
  }

  function show(answer) {
    const matches = answer.FaceMatches, others = answer.UnmatchedFaces ?? [];
    slots.source.view.draw((context, width, height) => drawBoxes(context, [{ box: answer.SourceImageFace.BoundingBox, text: "this face", color: "--series-1" }], width, height));
    slots.target.view.draw((context, width, height) => drawBoxes(context, [
      ...others.map((face) => ({ box: face.BoundingBox, text: "someone else", color: "--bad" })),
      ...matches.map((match) => ({ box: match.Face.BoundingBox, text: `${match.Similarity.toFixed(1)} % alike`, color: "--good" })),
    ], width, height));
    verdict.hidden = false;
    verdict.replaceChildren(
      h("h2", { class: matches.length ? "good" : "bad" }, sentence(matches.length, others.length)),
      h("dl", { class: "photo-facts" }, matches.map((match, index) => h("div", {}, h("dt", {}, `match ${index + 1}`), h("dd", {}, bar(match.Similarity))))),
      h("p", { class: "muted" }, "Alike is not the same person: for anything that matters, take 99 % and let a human look."));
    below.replaceChildren(details(answer));
  }

  // A pasted picture fills the first empty place, then the second.
  const take = (picture) => put(pictures.source ? "target" : "source", picture);
  if (desk.picture) put("source", desk.picture);
  return { element, take, close: () => (question.close(), slots.source.view.close(), slots.target.view.close()) };
}

function sentence(matches, others) {
  const rest = others === 0 ? "" : others === 1 ? ", one other face is not" : `, ${number(others)} other faces are not`;
  if (!matches) return others === 1 ? "The face in the second picture is someone else's." : `None of the ${number(others)} faces in the second picture is alike.`;
  return matches === 1 ? `One face is alike${rest}.` : `${number(matches)} faces are alike${rest}.`;
}
