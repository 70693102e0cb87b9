// What if: what a change would bring, computed by the server from what is measured now.

import { get } from "../../core/api.js";
import { h, say } from "../../core/dom.js";
import { age, dollars, percent, rate } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";
import { whileSeen } from "../../core/seen.js";

const LOOK_SECONDS = 10;
const TITLES = { workers: "More worker threads", machine: "A second machine", quota: "More quota", pixels: "Smaller pictures", slower: "Half the frames", faster: "Twice the frames" };
const FIGURES = [["age, average", "age_p50", age], ["age, slow (p95)", "age_p95", age], ["results", "results_per_second", rate], ["an hour", "dollars_per_hour", dollars]];

export function whatIf() {
  const cards = h("div", { class: "grid what-if" });
  const note = h("p", { class: "muted" }, "computing …");
  const assumed = h("ul", { class: "muted" });
  const element = h("section", { class: "card" }, h("h2", {}, "What if"), note, cards, h("details", {}, h("summary", {}, "what is assumed"), assumed));
  const look = async () => {
    const answer = await get("/api/what-if").catch((error) => error);
    if (answer instanceof Error) return say(note, answer.message);
    say(note, answer.now ? howSure(answer) : `${answer.why}.`);
    note.className = answer.now && !answer.reliable ? "error" : "muted";
    keyed(assumed, answer.assumed, (text) => text, (text) => h("li", {}, text));
    return keyed(cards, answer.cards, (card) => card.id, newCard, (element, card) => showCard(element, card, answer.now));
  };
  return { element, close: whileSeen(element, LOOK_SECONDS, look) };
}

function howSure({ error, reliable }) {
  const off = `The simulation reproduces what is measured now within ${percent(error.largest)}`;
  return reliable ? `${off}; what follows is computed from it.` : `${off} only: believe the directions, not the figures.`;
}

function newCard({ id }) {
  const rows = FIGURES.map(([words]) => h("tr", {}, h("th", { scope: "row" }, words), h("td", { class: "number muted" }), h("td", { class: "number" })));
  return h("div", { class: "option" },
    h("h3", {}, TITLES[id] ?? id), h("p", { class: "muted" }),
    h("table", { class: "table" }, h("thead", { class: "visually-hidden" }, h("tr", {}, ["figure", "now", "then"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
    h("p", { class: "verdict" }));
}

function showCard(element, card, now) {
  const [, what, table, verdict] = element.children;
  say(what, card.what);
  [...table.tBodies[0].rows].forEach((row, index) => {
    const [, key, format] = FIGURES[index];
    row.hidden = key === "dollars_per_hour" && !now[key] && !card.then[key];
    say(row.children[1], format(now[key]));
    say(row.children[2], `→ ${format(card.then[key])}`);
    row.children[2].className = `number ${better(key, now[key], card.then[key])}`;
  });
  say(verdict, card.says);
}

function better(key, before, after) {
  if (Math.abs(after - before) <= 0.05 * Math.max(before, 1e-6)) return "";
  return (after > before) === (key === "results_per_second") ? "better" : "worse";
}
