// One face in words: what was told with how much confidence, and by name what was not told.

import { h } from "../../core/dom.js";
import { number } from "../../core/format.js";

export const ATTRIBUTES = {
  AGE_RANGE: ["AgeRange", "age"], GENDER: ["Gender", "gender"], SMILE: ["Smile", "smile"], EMOTIONS: ["Emotions", "emotions"],
  EYES_OPEN: ["EyesOpen", "eyes"], MOUTH_OPEN: ["MouthOpen", "mouth"], EYEGLASSES: ["Eyeglasses", "eyeglasses"],
  SUNGLASSES: ["Sunglasses", "sunglasses"], BEARD: ["Beard", "beard"], MUSTACHE: ["Mustache", "mustache"],
  FACE_OCCLUDED: ["FaceOccluded", "covered face"], EYE_DIRECTION: ["EyeDirection", "eye direction"],
};
const SAID = {
  Smile: ["yes", "no"], EyesOpen: ["open", "closed"], MouthOpen: ["open", "closed"], Eyeglasses: ["yes", "no"], Sunglasses: ["yes", "no"],
  Beard: ["yes", "no"], Mustache: ["yes", "no"], FaceOccluded: ["yes", "no"],
};
const LITTLE = 1; // percent: feelings below are only named
const FEELINGS = { HAPPY: "happy", SAD: "sad", ANGRY: "angry", CONFUSED: "confused", DISGUSTED: "disgusted", SURPRISED: "surprised", CALM: "calm", FEAR: "afraid", UNKNOWN: "unknown" };

// `asked` are the attributes that were asked for, by Rekognition's names.
export function attributes(face, index, result, asked) {
  return h("div", { class: "photo-attributes stack" },
    h("div", {}, h("h2", {}, `Face ${index + 1}`), h("p", { class: "muted" }, size(face, result))),
    h("dl", { class: "photo-facts" }, [
      face.AgeRange && fact("age", `${face.AgeRange.Low}–${face.AgeRange.High}`),
      face.Gender && fact("gender", face.Gender.Value === "Female" ? "woman" : "man", face.Gender.Confidence),
      Object.entries(SAID).map(([member, [yes, no]]) => face[member] && fact(nameOf(member), face[member].Value ? yes : no, face[member].Confidence)),
      face.EyeDirection && fact("eye direction", angles(face.EyeDirection, ["Yaw", "Pitch"]), face.EyeDirection.Confidence),
      face.Pose && fact("pose", angles(face.Pose, ["Yaw", "Pitch", "Roll"])),
    ].flat()),
    face.Emotions?.length ? emotions(face.Emotions) : null,
    face.Quality ? bars("Quality of the picture of the face", [["brightness", face.Quality.Brightness], ["sharpness", face.Quality.Sharpness]]) : null,
    absent(face, result, asked));
}

function emotions(told) {
  const rows = told.map((one) => [FEELINGS[one.Type] ?? one.Type.toLowerCase(), one.Confidence]).sort((a, b) => b[1] - a[1]);
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
  const missing = asked.filter((name) => isMissing(face, ATTRIBUTES[name][0])).map((name) => ATTRIBUTES[name][1]);
  if (!missing.length) return null;
  const who = result.provider === "local" ? "The models on this machine cannot tell" : "Rekognition did not tell";
  return h("p", { class: "muted photo-absent" }, `${who}: ${missing.join(", ")}.`);
}

const isMissing = (face, member) => !face[member] || face[member].length === 0;
const nameOf = (member) => Object.values(ATTRIBUTES).find(([known]) => known === member)[1];
const confidence = (value) => `${value.toFixed(value > 99.95 || value < 10 ? 0 : 1)} %`;

function angles(pose, names) {
  return names.map((name) => `${name.toLowerCase()} ${Math.round(pose[name])}°`).join(" · ");
}

function fact(name, words, sure) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, h("span", {}, words), sure === undefined ? null : bar(sure)));
}

export function bars(title, rows) {
  return h("div", {}, h("h3", {}, title), h("dl", { class: "photo-facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, bar(value))))));
}

export function bar(value) {
  return h("span", { class: "photo-confidence" },
    h("span", { class: "track", "aria-hidden": "true" }, h("span", { style: { width: `${Math.max(0, Math.min(100, value))}%` } })),
    h("span", { class: "number" }, confidence(value)));
}
