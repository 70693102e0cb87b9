// One person on one day: first and last seen, the day as a strip, the pictures that show it, what was corrected.

import { openDialog } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { dayTime, number } from "../../core/format.js";
import { s } from "../../core/svg.js";
import { clockOf, clockWords, lasted } from "./times.js";

const STATES = { present: "good", absent: "", excused: "warn" };
const HEIGHT = 34;
const BAR = 14;

export function newEntry({ Person }) {
  return h("li", { class: "card day-of" },
    h("div", { class: "who" }, h("strong", {}, Person.Name), h("span", { class: "badge" })),
    h("dl", { class: "times" }, ["first", "last"].map((name) => h("div", {}, h("dt", {}, name === "first" ? "first seen" : "last seen"), h("dd", { class: "number" }, h("b", {}), h("s", { class: "muted" }))))),
    h("div", { class: "strip" }, h("div", { class: "bar", role: "img" }), h("p", { class: "muted told" })),
    h("div", { class: "evidence" }),
    h("button", { class: "button correct", type: "button", "aria-label": `Correct ${Person.Name}` }, "Correct …"));
}

export function showEntry(element, entry, span, correct) {
  const words = clockOf(entry);
  const part = (name) => element.querySelector(name);
  const badge = part(".badge");
  say(badge, entry.open ? "there now" : entry.state === "excused" ? `excused: ${entry.correction.excused}` : entry.state);
  badge.className = `badge ${STATES[entry.state] ?? ""}`;
  element.classList.toggle("absent", entry.state !== "present");
  const [first, last] = element.querySelectorAll("dd");
  showTime(first, entry.first_at, entry.seen?.first_at, words);
  showTime(last, entry.last_at, entry.seen?.last_at, words);
  showStrip(part(".bar"), entry, words, span);
  say(part(".told"), toldOf(entry, words));
  showEvidence(part(".evidence"), entry, words);
  part(".correct").onclick = correct;
}

// What counts, and beside it what was seen where people corrected it.
function showTime(element, counts, seen, { clock }) {
  say(element.firstChild, counts === null ? "–" : clock(counts));
  const isCorrected = counts !== null && seen !== undefined && seen !== null && clock(seen) !== clock(counts);
  say(element.lastChild, isCorrected ? clock(seen) : "");
}

function toldOf({ first_at: first, seconds, visits, gaps, cameras, correction }, { clock }) {
  if (first === null) return correction ? correctedWords(correction) : "";
  const away = gaps.map(({ since, until }) => `${clock(since)}–${clock(until)}`).join(", ");
  return [
    seconds ? `${lasted(seconds)} in sight` : "", visits ? `${number(visits)} ${visits === 1 ? "visit" : "visits"}` : "",
    away && `away ${away}`, cameras.map(({ camera }) => camera).join(", "), correction && correctedWords(correction),
  ].filter(Boolean).join(" · ");
}

const correctedWords = ({ by, at }) => `corrected by ${by}, ${dayTime(at)}`;

// Filled where somebody was seen, an outline where people said that they were there.
function showStrip(element, entry, { clock, minute }, { from, to }) {
  element.hidden = entry.first_at === null;
  const state = JSON.stringify([entry.first_at, entry.last_at, entry.gaps, from, to]);
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  const x = (at) => `${(((minute(at) - from) / (to - from)) * 100).toFixed(2)}%`;
  const wide = (since, until) => `${Math.max(0.4, ((minute(until) - minute(since)) / (to - from)) * 100).toFixed(2)}%`;
  const box = (name, since, until) => s("rect", { class: name, x: x(since), width: wide(since, until), y: 2, height: BAR, rx: 3 });
  const counted = entry.first_at === null ? [] : [box("counts", entry.first_at, entry.last_at ?? entry.first_at)];
  const seen = entry.seen ? blocksOf(entry).map(([since, until]) => box("seen", since, until)) : [];
  const hours = hoursOf(from, to).map(([at, name]) => [`${(((at - from) / (to - from)) * 100).toFixed(2)}%`, name]);
  const marks = hours.flatMap(([at, name], index) => [s("line", { x1: at, x2: at, y1: 0, y2: BAR + 4 }), s("text", { x: at, y: HEIGHT - 3, "text-anchor": index === 0 ? "start" : parseFloat(at) > 96 ? "end" : "middle" }, name)]);
  element.replaceChildren(s("svg", { width: "100%", height: HEIGHT, "aria-hidden": "true" }, ...marks, ...counted, ...seen));
  element.setAttribute("aria-label", entry.first_at === null ? "not seen" : `${clock(entry.first_at)} to ${clock(entry.last_at ?? entry.first_at)}, ${entry.gaps.length} ${entry.gaps.length === 1 ? "gap" : "gaps"}`);
}

function blocksOf({ seen, gaps }) {
  const edges = [seen.first_at, ...gaps.flatMap(({ since, until }) => [since, until]), seen.last_at];
  return edges.flatMap((at, index) => (index % 2 ? [] : [[at, edges[index + 1]]]));
}

const FEW = 6;

function hoursOf(from, to) {
  const step = [5, 10, 15, 30, 60, 120, 180, 240, 360].find((minutes) => (to - from) / minutes <= FEW) ?? 360;
  return [...Array(Math.floor((to - from) / step) + 1).keys()].map((index) => [from + index * step, clockWords(from + index * step)]);
}

function showEvidence(element, { Person, first_result: first, last_result: last, seen }, { clock }) {
  const wanted = [first && ["first", first, seen?.first_at], last && last.id !== first?.id && ["last", last, seen?.last_at]].filter(Boolean);
  const state = JSON.stringify(wanted.map(([, one]) => one.id));
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.replaceChildren(...wanted.map(([which, { camera, id }, at]) => {
    const src = `/api/history/frame?${new URLSearchParams({ camera, id })}`;
    const title = `${Person.Name}, ${which} seen ${clock(at)} by ${camera}`;
    const button = h("button", { class: "picture", type: "button", "aria-label": title, onclick: () => openDialog(title, h("img", { class: "evidence-picture", src, alt: title }), { wide: true }).classList.add("attendance") },
      h("img", { src, alt: "", loading: "lazy", onerror: () => button.remove() }));
    return button;
  }));
}
