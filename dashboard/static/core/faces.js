// A face in words and on a canvas. What Rekognition did not say is not said.

import { whoIs } from "./people.js";

const EMOTIONS = { HAPPY: "happy", SAD: "sad", ANGRY: "angry", CONFUSED: "confused", DISGUSTED: "disgusted", SURPRISED: "surprised", CALM: "calm", FEAR: "afraid" };
export const SMALLEST_FACE = 40; // pixels: below, Rekognition promises nothing

export function faceWords(face) {
  const words = {
    name: whoIs(face),
    age: face.AgeRange ? `${face.AgeRange.Low}–${face.AgeRange.High}` : "",
    gender: face.Gender ? (face.Gender.Value === "Female" ? "woman" : "man") : "",
    emotion: strongest(face),
    smile: face.Smile ? (face.Smile.Value ? "smiles" : "") : "",
  };
  words.line = [[words.gender, words.age].filter(Boolean).join(" "), words.emotion, words.smile].filter(Boolean).join(" · ");
  return words;
}

function strongest(face) {
  const sorted = [...(face.Emotions ?? [])].sort((a, b) => b.Confidence - a.Confidence);
  return sorted.length && sorted[0].Type !== "UNKNOWN" ? emotionWord(sorted[0].Type) : "";
}

export const emotionWord = (type) => EMOTIONS[type] ?? type.toLowerCase();

const FAINT = 0.4; // of a face that does not count
const FULL_SECONDS = 0.7;
const GONE_SECONDS = 2.5;

// How strongly boxes of this age are drawn on a newer picture: fully at first, then less and less, at last not at all.
export const fading = (seconds) => Math.max(0, Math.min(1, (GONE_SECONDS - seconds) / (GONE_SECONDS - FULL_SECONDS)));

export const faceHeight = (face, result) => Math.round(face.BoundingBox.Height * result.height);

// Draws the boxes of a result over a picture that fills the canvas' `width` x `height` (CSS pixels).
export function drawFaces(context, result, width, height, { alpha = 1, landmarks = false, chosen = -1, words = true, anonymous = false } = {}) {
  context.save();
  (result.FaceDetails ?? []).forEach((face, index) => {
    const box = face.BoundingBox;
    const place = { x: box.Left * width, y: box.Top * height, w: box.Width * width, h: box.Height * height };
    context.globalAlpha = face.Ignored ? alpha * FAINT : alpha;
    corners(context, place, index === chosen);
    if (landmarks) dots(context, face.Landmarks ?? [], width, height);
    if (words && !face.Ignored) label(context, face, result, place, width, height, anonymous);
  });
  context.restore();
}

function corners(context, { x, y, w, h }, isChosen) {
  const arm = Math.min(w, h) * 0.28;
  context.lineJoin = "round";
  context.beginPath();
  for (const [cx, cy, dx, dy] of [[x, y, 1, 1], [x + w, y, -1, 1], [x, y + h, 1, -1], [x + w, y + h, -1, -1]]) {
    context.moveTo(cx, cy + dy * arm);
    context.lineTo(cx, cy);
    context.lineTo(cx + dx * arm, cy);
  }
  context.lineWidth = isChosen ? 7 : 5.5; // a dark edge, seen on light pictures
  context.strokeStyle = "rgb(0 0 0 / 0.45)";
  context.stroke();
  context.lineWidth = isChosen ? 4 : 2.5;
  context.strokeStyle = isChosen ? "#ffd54a" : "#ffffff";
  context.stroke();
}

function dots(context, points, width, height) {
  context.fillStyle = "#7df0c2";
  for (const { X, Y } of points) {
    context.beginPath();
    context.arc(X * width, Y * height, Math.max(1.5, width / 400), 0, 2 * Math.PI);
    context.fill();
  }
}

function label(context, face, result, place, width, height, anonymous) {
  const pixels = faceHeight(face, result);
  const { name, line } = faceWords(face);
  const lines = pixels < SMALLEST_FACE ? [`${pixels} px: too small`] : [anonymous ? "" : name, line].filter(Boolean);
  if (!lines.length) return;
  const size = Math.max(11, Math.min(15, width / 42));
  context.font = `600 ${size}px system-ui, sans-serif`;
  const wide = Math.max(...lines.map((text) => context.measureText(text).width)) + 12;
  const tall = lines.length * size * 1.3 + 6;
  const x = Math.max(0, Math.min(place.x, width - wide));
  const below = place.y + place.h + 4;
  const y = below + tall <= height ? below : Math.max(0, place.y - tall - 4);
  context.fillStyle = "rgb(8 12 20 / 0.74)";
  context.beginPath();
  context.roundRect(x, y, wide, tall, 6);
  context.fill();
  context.fillStyle = "#ffffff";
  context.textBaseline = "top";
  lines.forEach((text, index) => context.fillText(text, x + 6, y + 4 + index * size * 1.3));
}
