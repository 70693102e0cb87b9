// All that Rekognition said of a face, in words; what it did not say has no row.

import { faceHeight, SMALLEST_FACE } from "../../core/faces.js";
import { h } from "../../core/dom.js";

const YES_NO = {
  Smile: ["smile", "smiles", "does not smile"],
  EyesOpen: ["eyes", "open", "closed"],
  MouthOpen: ["mouth", "open", "closed"],
  Eyeglasses: ["glasses", "wears them", "none"],
  Sunglasses: ["sunglasses", "wears them", "none"],
  Beard: ["beard", "has one", "none"],
  Mustache: ["moustache", "has one", "none"],
  FaceOccluded: ["covered", "partly", "no"],
};
const SHOWN_EMOTIONS = 3;

// Rows of [name, words, confidence in percent or null].
export function attributeRows(face, result) {
  const rows = [];
  if (face.Person) rows.push(["name", face.Person.Name ?? "unknown", face.Person.Similarity ?? null]);
  if (face.AgeRange) rows.push(["age", `${face.AgeRange.Low} to ${face.AgeRange.High}`, null]);
  if (face.Gender) rows.push(["gender", face.Gender.Value === "Female" ? "woman" : "man", face.Gender.Confidence]);
  for (const [member, [name, yes, no]] of Object.entries(YES_NO)) {
    if (face[member]) rows.push([name, face[member].Value ? yes : no, face[member].Confidence]);
  }
  const emotions = [...(face.Emotions ?? [])].sort((a, b) => b.Confidence - a.Confidence).slice(0, SHOWN_EMOTIONS);
  emotions.forEach(({ Type, Confidence }, index) => rows.push([index ? "" : "emotions", Type.toLowerCase(), Confidence]));
  if (face.Pose) rows.push(["pose", pose(face.Pose), null]);
  if (face.EyeDirection) rows.push(["looks", `${degrees(face.EyeDirection.Yaw)} sideways, ${degrees(face.EyeDirection.Pitch)} up`, face.EyeDirection.Confidence]);
  if (face.Quality) rows.push(["quality", `sharpness ${Math.round(face.Quality.Sharpness)}, brightness ${Math.round(face.Quality.Brightness)}`, null]);
  return [...rows, size(face, result)];
}

export function attributeTable(face, result) {
  const rows = attributeRows(face, result).map(([name, words, sure]) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, words), h("td", { class: "number" }, sure === null ? "" : `${Math.round(sure)} %`)));
  return h("table", { class: "table attributes" }, h("tbody", {}, ...rows));
}

const degrees = (angle) => `${Math.round(angle)}°`;
const pose = ({ Roll, Yaw, Pitch }) => `turned ${degrees(Yaw)}, nods ${degrees(Pitch)}, leans ${degrees(Roll)}`;

function size(face, result) {
  const pixels = faceHeight(face, result);
  return ["height", pixels < SMALLEST_FACE ? `${pixels} px: too small` : `${pixels} px`, face.Confidence ?? null];
}
