// The timeline in words: what was in a step of it, or in all of it.

import { h } from "../../core/dom.js";
import { dayTime, number } from "../../core/format.js";
import { momentOf } from "../../core/scale.js";
import { camerasOf, colourOf, gapWords } from "./drawing.js";

export const legendOf = (answer) => camerasOf(answer).map((camera) => h("li", {}, h("i", { class: `square ${colourOf(answer, camera)}` }), camera));

// What stands under the timeline, and what a screen reader says of a step; of all where no step is chosen.
export function momentWords(answer, index) {
  if (index === null) return allWords(answer);
  const from = answer.since + index * answer.step;
  const to = Math.min(answer.until, from + answer.step);
  const scale = { from: answer.since, span: answer.until - answer.since, step: answer.step };
  const counts = answer.cameras.flatMap(({ camera, buckets }) => buckets.filter(({ at }) => Math.abs(at - from) < answer.step / 2).map((bucket) => countWords(camera, bucket)));
  const there = [...new Set(answer.visits.filter((visit) => visit.began_at < to && visit.ended_at >= from).map(({ Person }) => Person?.Name ?? "somebody unknown"))];
  const gap = answer.gaps.find(({ since, till }) => since < to && till >= from);
  const words = [...counts, there.join(", "), gap && gapWords(gap)].filter(Boolean);
  return `${momentOf(from, scale)} – ${momentOf(to, scale)}: ${words.join(" · ") || "nothing"}`;
}

function countWords(camera, { results, faces, errors }) {
  const of = results === undefined || results === null ? "" : ` in ${number(results)} results`;
  return [`${camera} ${number(faces)} ${faces === 1 ? "face" : "faces"}${of}`, errors ? `${number(errors)} failed` : ""].filter(Boolean).join(", ");
}

function allWords({ since, until, people, unknown, cameras, gaps }) {
  const faces = cameras.reduce((sum, { buckets }) => sum + buckets.reduce((part, bucket) => part + bucket.faces, 0), 0);
  const known = people.length ? `${number(people.length)} known ${people.length === 1 ? "person" : "people"}` : "";
  const strangers = unknown?.visits ? `${number(unknown.visits)} ${unknown.visits === 1 ? "visit" : "visits"} of unknown people` : "";
  const missing = gaps.length ? `${number(gaps.length)} ${gaps.length === 1 ? "gap" : "gaps"}` : "";
  return [`${dayTime(since)} – ${dayTime(until)}`, cameras.length ? `${number(faces)} faces` : "", known, strangers, missing].filter(Boolean).join(" · ");
}
