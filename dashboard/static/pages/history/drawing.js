// The timeline as SVG: columns of faces by camera, a lane for each person, what is missing hatched.

import { dayTime, number } from "../../core/format.js";
import { timeTicks } from "../../core/scale.js";
import { s } from "../../core/svg.js";

const COLUMNS = 112; // pixels high, where there are any
const LANE = 32;
const BLOCK = 12;
const AXIS = 24;
const EDGE = 2;
const MOST_LANES = 10;
const LEAST = 3; // pixels: the shortest visit that one can see
export const COLOURS = 7;

const UNKNOWN = { name: "unknown", key: null };

// The people who have a lane: those who were there longest, and all who are unknown.
export function lanesOf({ people, visits, unknown }) {
  const known = [...people].sort((one, other) => other.seconds - one.seconds).slice(0, MOST_LANES).map(({ Person }) => ({ name: Person.Name, key: Person.Id }));
  const isSomebodyUnknown = (unknown?.visits ?? 0) > 0 || visits.some(({ Person }) => !Person);
  return isSomebodyUnknown ? [...known, UNKNOWN] : known;
}

export function laneCount(answer) {
  const top = answer.cameras.length ? COLUMNS : 0;
  const lanes = lanesOf(answer);
  return { top, lanes, height: Math.max(COLUMNS, top + lanes.length * LANE) + AXIS };
}

export const colourOf = (answer, camera) => `colour-${(Math.max(0, camerasOf(answer).indexOf(camera)) % COLOURS) + 1}`;
export const camerasOf = ({ cameras, visits }) => [...new Set([...cameras.map(({ camera }) => camera), ...visits.map(({ camera }) => camera)])].sort();

const span = ({ answer, width }) => ({ answer, wide: width - 2 * EDGE });
export const placeOf = (view, at) => EDGE + ((at - view.answer.since) / (view.answer.until - view.answer.since)) * span(view).wide;
export const timeOf = (view, x) => view.answer.since + ((x - EDGE) / span(view).wide) * (view.answer.until - view.answer.since);

export function draw(holder, view) {
  const { answer, width } = view;
  const { top, lanes, height } = laneCount(answer);
  const bottom = height - AXIS;
  holder.replaceChildren(s("svg", { width, height, class: "lanes" },
    s("defs", {}, s("pattern", { id: "missing", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("rect", { width: 2.5, height: 7, class: "hatch" }))),
    ...ticks(view, bottom, height),
    ...(top ? columns(view) : []),
    ...lanes.flatMap((lane, index) => laneOf(view, lane, top + index * LANE)),
    ...answer.gaps.map((gap) => missing(view, gap, bottom)),
    ...cursor(view, bottom)));
}

function ticks(view, bottom, height) {
  const { since, until } = view.answer;
  return timeTicks(since, until, view.width).flatMap(([at, words]) => {
    const x = placeOf(view, at);
    return [s("line", { class: "tick", x1: x, x2: x, y1: 0, y2: bottom }), ...(x > 18 && x < view.width - 18 ? [s("text", { x, y: height - 6, "text-anchor": "middle" }, words)] : [])];
  });
}

// Faces of all cameras on top of each other; failed analyses as marks along the top.
function columns(view) {
  const { answer } = view;
  const floors = new Map();
  const sums = new Map();
  for (const { buckets } of answer.cameras) for (const { at, faces } of buckets) sums.set(at, (sums.get(at) ?? 0) + faces);
  const most = Math.max(1, ...sums.values());
  const high = COLUMNS - 22;
  const wide = Math.max(1, placeOf(view, answer.since + answer.step) - EDGE - 1);
  const paths = answer.cameras.map(({ camera, buckets }) => {
    const pieces = buckets.map(({ at, faces }) => {
      const floor = floors.get(at) ?? 0;
      floors.set(at, floor + faces);
      const y = COLUMNS - 8 - (floor / most) * high;
      return `M${placeOf(view, at).toFixed(1)} ${y.toFixed(1)}h${wide.toFixed(1)}v${(-(faces / most) * high).toFixed(1)}h-${wide.toFixed(1)}z`;
    });
    return s("path", { class: `column ${colourOf(answer, camera)}`, d: pieces.join("") });
  });
  const failed = answer.cameras.flatMap(({ buckets }) => buckets.filter(({ errors }) => errors));
  const marks = failed.map(({ at }) => s("rect", { class: "failed", x: placeOf(view, at), y: 0, width: Math.max(3, wide), height: 4 }));
  return [...paths, ...marks, s("line", { class: "ground", x1: 0, x2: view.width, y1: COLUMNS - 7.5, y2: COLUMNS - 7.5 })];
}

function laneOf(view, { name, key }, y) {
  const mine = view.answer.visits.filter(({ Person }) => (Person?.Id ?? null) === key);
  const blocks = mine.map(({ camera, began_at: from, ended_at: to, open }) => {
    const left = Math.max(EDGE, placeOf(view, from));
    const right = Math.min(view.width - EDGE, placeOf(view, open ? Math.max(to, view.answer.until) : to));
    return s("rect", { class: `visit ${colourOf(view.answer, camera)}`, x: left.toFixed(1), y: y + LANE - BLOCK - 2, width: Math.max(LEAST, right - left).toFixed(1), height: BLOCK, rx: 3 });
  });
  return [s("line", { class: "tick", x1: 0, x2: view.width, y1: y, y2: y }), ...blocks, s("text", { class: "name", x: EDGE, y: y + LANE - BLOCK - 6 }, name)];
}

function missing(view, { since, till }, bottom) {
  const left = Math.max(0, placeOf(view, since));
  return s("rect", { class: "missing", fill: "url(#missing)", x: left, y: 0, width: Math.max(LEAST, Math.min(view.width, placeOf(view, till)) - left), height: bottom });
}

function cursor(view, bottom) {
  const { answer, drag } = view;
  if (drag && Math.abs(drag.to - drag.from) > 1) return [s("rect", { class: "selection", x: Math.min(drag.from, drag.to), y: 0, width: Math.abs(drag.to - drag.from), height: bottom })];
  if (view.cursor === null) return [];
  const x = placeOf(view, answer.since + (view.cursor + 0.5) * answer.step);
  return [s("line", { class: "cursor", x1: x, x2: x, y1: 0, y2: bottom })];
}

export function gapWords({ since, till, lost, why }) {
  const many = lost === null ? "Some results are" : lost === 1 ? "1 result is" : `${number(lost)} results are`;
  return `${many} missing from ${dayTime(since)} to ${dayTime(till)}: ${why}`;
}
