// One face in words: what was told with how much confidence, and by name what was not told.

import { ATTRIBUTES, factsOf } from "../../core/attributes.js";
import { h } from "../../core/dom.js";
import { emotionWord } from "../../core/faces.js";
import { number } from "../../core/format.js";

const LITTLE = 1; // percent: feelings below are only named

// `asked` are the attributes that were asked for, by Rekognition's names.
export function attributes(face, index, result, asked) {
  return h("div", { class: "photo-attributes stack" },
    h("div", {}, h("h2", {}, `Face ${index + 1}`), h("p", { class: "muted" }, size(face, result))),
    h("dl", { class: "photo-facts" }, factsOf(face).map(([name, words, sure]) => fact(name, words, sure))),
    face.Emotions?.length ? emotions(face.Emotions) : null,
    face.Quality ? bars("Quality of the picture of the face", [["brightness", face.Quality.Brightness], ["sharpness", face.Quality.Sharpness]]) : null,
    absent(face, result, asked));
}

function emotions(told) {
  const rows = told.map((one) => [emotionWord(one.Type), one.Confidence]).sort((a, b) => b[1] - a[1]);
  const weak = rows.filter(([, value]) => value < LITTLE).map(([name]) => name);
  const shown = bars("Emotions", rows.filter(([, value]) => value >= LITTLE));
  if (weak.length) shown.append(h("p", { class: "muted photo-weak" }, `Under ${LITTLE} %: ${weak.join(", ")}.`));
  return shown;
}

function size(face, result) {
  const box = face.BoundingBox;
  const pixels = result.height ? `${Math.round(box.Width * result.width)} × ${Math.round(box.Height * result.height)} px · ` : "";
  return `${pixels}found with ${confidence(face.Confidence)} · ${number(face.Landmarks?.length ?? 0)} landmarks`;
}

function absent(face, result, asked) {
  const missing = asked.map((name) => ATTRIBUTES[name]).filter(({ member }) => !face[member] || face[member].length === 0).map(({ name }) => name);
  if (!missing.length) return null;
  const who = result.provider === "local" ? "The models on this machine cannot tell" : "Rekognition did not tell";
  return h("p", { class: "muted photo-absent" }, `${who}: ${missing.join(", ")}.`);
}

const confidence = (value) => `${value.toFixed(value > 99.95 || value < 10 ? 0 : 1)} %`;

function fact(name, words, sure) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, h("span", {}, words), sure === null ? null : bar(sure)));
}

export function bars(title, rows) {
  return h("div", {}, h("h3", {}, title), h("dl", { class: "photo-facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, bar(value))))));
}

export function bar(value) {
  return h("span", { class: "photo-confidence" },
    h("span", { class: "track", "aria-hidden": "true" }, h("span", { style: { width: `${Math.max(0, Math.min(100, value))}%` } })),
    h("span", { class: "number" }, confidence(value)));
}
