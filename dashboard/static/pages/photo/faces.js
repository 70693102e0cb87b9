// The faces of one picture: drawn, listed, and the chosen one in all its attributes.

import { h, say } from "../../core/dom.js";
import { drawFaces, faceHeight, faceWords, SMALLEST_FACE } from "../../core/faces.js";
import { asking } from "./asking.js";
import { attributes } from "./attributes.js";
import { attributeChoice } from "./choice.js";
import { details } from "./details.js";
import { listbox } from "./listbox.js";
import { picker } from "./picker.js";
import { view } from "./view.js";

export function faces(desk) {
  let result = null, asked = [], chosen = 0;
  const canvas = view("a picture", take, choose);
  const choice = attributeChoice(() => desk.picture && ask());
  const question = asking("/api/photos", show);
  const points = h("input", { type: "checkbox", checked: true, onchange: redraw });
  const list = listbox("Faces", choose);
  const found = h("p", { class: "photo-count" }), facts = h("div", {});
  const panel = h("section", { class: "card photo-panel", hidden: true, "aria-label": "What was found" }, found, list.element, facts);
  const below = h("div", {});
  const element = h("div", { class: "stack" },
    h("div", { class: "photo-tools card row apart" },
      picker("a picture", take),
      h("div", { class: "row" }, choice.element, h("label", { class: "field check" }, points, "landmarks"))),
    question.element,
    h("div", { class: "photo-desk" }, canvas.element, panel, below));

  function take(picture) {
    desk.picture = picture;
    result = null;
    panel.hidden = true;
    below.replaceChildren();
    canvas.show(picture);
    ask();
  }

  function ask() {
    question.ask({ image: desk.picture }, { attributes: choice.value });
  }

  function show(answer) {
    [result, asked, chosen] = [answer, choice.asked, 0];
    panel.hidden = false;
    below.replaceChildren(details(answer));
    say(found, count(answer.FaceDetails.length));
    list.fill(answer.FaceDetails.map((face, index) => title(face, index, answer)));
    choose(0);
  }

  function choose(index) {
    chosen = index;
    list.mark(index);
    const face = result.FaceDetails[index];
    facts.replaceChildren(face ? attributes(face, index, result, asked) : "");
    redraw();
  }

  function redraw() {
    if (!result) return;
    const drawn = result.FaceDetails.map((face, index) => ({
      ...face, Person: face.Person ?? { Name: `Face ${index + 1}` }, Landmarks: points.checked && index === chosen ? face.Landmarks : [],
    }));
    const words = drawn.length <= 8;
    const paint = (context, width, height) => drawFaces(context, { ...result, FaceDetails: drawn }, width, height, { landmarks: true, chosen, words });
    canvas.draw(paint, drawn.map((face) => face.BoundingBox));
  }

  if (desk.picture) take(desk.picture);
  return { element, take, close: () => (question.close(), canvas.close()) };
}

const count = (faces) => (faces === 0 ? "No face was found: faces of at least 40 pixels are." : faces === 1 ? "One face" : `${faces} faces, the largest first`);

function title(face, index, result) {
  const isSmall = result.height && faceHeight(face, result) < SMALLEST_FACE;
  return [`Face ${index + 1}`, isSmall ? `${faceHeight(face, result)} px: too small to rely on` : faceWords(face).line];
}
