// The emotions of the faces as bars, and each face in words.

import { h, say } from "../../core/dom.js";
import { emotionWord, faceWords } from "../../core/faces.js";

const MOST_FACES = 4;
const ORDER = ["HAPPY", "CALM", "SURPRISED", "SAD", "ANGRY", "DISGUSTED", "FEAR", "CONFUSED"];

export class Moods {
  #rows = [];

  constructor() {
    this.none = h("p", { class: "muted" }, "No face yet: look into the camera.");
    this.element = h("div", { class: "stack moods" }, this.none);
  }

  // Shows the faces of a result from left to right; bars stay in their places, so that they move and do not jump.
  see(result) {
    const faces = [...(result?.FaceDetails ?? [])].sort((a, b) => a.BoundingBox.Left - b.BoundingBox.Left).slice(0, MOST_FACES);
    this.none.hidden = faces.length > 0;
    while (this.#rows.length < faces.length) this.#add();
    while (this.#rows.length > faces.length) this.#rows.pop().element.remove();
    faces.forEach((face, index) => this.#rows[index].see(face));
  }

  clear() {
    this.see(null);
  }

  #add() {
    const row = new Face();
    this.#rows.push(row);
    this.element.append(row.element);
  }
}

class Face {
  constructor() {
    this.words = h("h2", {});
    this.bars = new Map(ORDER.map((type) => [type, bar(type)]));
    this.element = h("section", { class: "card" }, this.words, h("dl", { class: "bars" }, ...[...this.bars.values()].map(({ row }) => row)));
  }

  see(face) {
    const { name, line } = faceWords(face);
    say(this.words, [name === "unknown" ? "" : name, line].filter(Boolean).join(" · ") || "a face");
    const known = new Map((face.Emotions ?? []).map(({ Type, Confidence }) => [Type, Confidence]));
    for (const [type, { row, fill, value }] of this.bars) {
      row.hidden = !known.has(type);
      fill.style.width = `${known.get(type) ?? 0}%`;
      say(value, `${Math.round(known.get(type) ?? 0)} %`);
    }
  }
}

function bar(type) {
  const fill = h("i", {});
  const value = h("span", { class: "number" });
  const row = h("div", {}, h("dt", {}, emotionWord(type)), h("dd", {}, h("span", { class: "track" }, fill), value));
  return { row, fill, value };
}
