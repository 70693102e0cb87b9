// All that Rekognition said of a face, in words; what it did not say has no row.

import { factsOf } from "../../core/attributes.js";
import { h } from "../../core/dom.js";
import { emotionWord, faceHeight, SMALLEST_FACE } from "../../core/faces.js";

const SHOWN_EMOTIONS = 3;

export function attributeTable(face, result) {
  const rows = rowsOf(face, result).map(([name, words, sure]) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, words), h("td", { class: "number" }, sure === null ? "" : `${Math.round(sure)} %`)));
  return h("table", { class: "table attributes" }, h("tbody", {}, ...rows));
}

// Rows of [name, words, confidence in percent or null].
function rowsOf(face, result) {
  const rows = factsOf(face);
  if (face.Person) rows.unshift(["name", face.Person.Name, face.Person.Similarity ?? null]);
  const emotions = [...(face.Emotions ?? [])].sort((a, b) => b.Confidence - a.Confidence).slice(0, SHOWN_EMOTIONS);
  emotions.forEach(({ Type, Confidence }, index) => rows.push([index ? "" : "emotions", emotionWord(Type), Confidence]));
  if (face.Quality) rows.push(["quality", `sharpness ${Math.round(face.Quality.Sharpness)}, brightness ${Math.round(face.Quality.Brightness)}`, null]);
  const pixels = faceHeight(face, result);
  return [...rows, ["height", pixels < SMALLEST_FACE ? `${pixels} px: too small` : `${pixels} px`, face.Confidence ?? null]];
}
