// How a camera is, in words that all of the Live page uses.

import { now } from "../../core/clock.js";
import { age as inSeconds } from "../../core/format.js";
import { counts, seesNobody, whoIs } from "../../core/people.js";

const DIM_SECONDS = 3;
const COVER_SECONDS = 10;
const SHOWN_NAMES = 2;

const STATES = { not_found: "not found" };
const LEVELS = { live: "good", connecting: "warn", stalled: "warn", unauthorized: "bad", not_found: "bad" };

export function stateOf(camera) {
  if (camera.paused) return { word: "paused", level: "", sentence: "It is paused: nothing is sampled." };
  const { state, message } = camera.status;
  return { word: STATES[state] ?? state, level: LEVELS[state] ?? "", sentence: message };
}

// What the camera delivers; "" before that is known.
export function sizeOf({ status: { width, height, capture_fps: fps } }) {
  return width ? `${width}×${height}${fps ? ` · ${fps.toFixed(0)} fps` : ""}` : "";
}

// Ages in tenths: what changes a hundred times a second cannot be read.
export const shortAge = (seconds) => (seconds < 1 ? `${Math.max(0, seconds).toFixed(1)} s` : inSeconds(seconds));

// How a picture of this age may be shown: as it is, dimmed, or not at all. A camera that is sampled every 20 s, and of
// which no previews come, is not stale after 3; one whose gate sees nobody sends nothing to be analysed, and is not stale at all.
export function staleness(age, camera, picture) {
  if (age !== null && isEmpty(camera)) return "";
  const expected = picture?.kind === "frame" ? 1.5 / camera.fps : 0;
  if (age === null || age > Math.max(COVER_SECONDS, 2 * expected)) return "covered";
  return age > Math.max(DIM_SECONDS, expected) ? "dimmed" : "";
}

// The sentence that stands where there is no fresh picture.
export function coverOf(camera, age) {
  const { word, sentence } = stateOf(camera);
  const since = age === null ? "" : ` The last picture came ${shortAge(age)} ago.`;
  if (word === "live") return `${age === null ? "Waiting for its first picture." : "It sends no picture."}${since}`;
  return `${sentence || `It is ${word}.`}${since}`;
}

// Whether the camera is live and its gate says that nobody is there.
export const isEmpty = (camera) => camera.status.state === "live" && !camera.paused && seesNobody(camera);

export const faceCount = (result) => {
  const count = (result?.FaceDetails ?? []).filter(counts).length;
  return count === 1 ? "1 face" : `${count} faces`;
};

// "Grace Hopper + 1", or how many faces there are where nobody has a name.
export function whoIsThere(result) {
  const faces = (result?.FaceDetails ?? []).filter(counts);
  const names = [...new Set(faces.map(whoIs).filter((name) => name && name !== "unknown"))];
  if (!names.length) return faceCount(result);
  const shown = names.slice(0, SHOWN_NAMES);
  return [shown.join(", "), faces.length > shown.length ? ` + ${faces.length - shown.length}` : ""].join("");
}

// The newest labels of the scene, the surest first.
export const sceneOf = ({ scene }, most) => (scene?.labels ?? []).slice(0, most).map(({ Name }) => Name).join(", ");

export const resultAge = (result) => (result ? now() - result.captured_at : null);
