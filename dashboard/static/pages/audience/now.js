// What is so at this moment: people, faces a minute, attention, smiles, laughs a minute; and of each camera where there are several.

import { now } from "../../core/clock.js";
import { h, say } from "../../core/dom.js";
import { age, number, percent } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";

const FIGURES = [
  ["present", "people there", number],
  ["faces_per_minute", "faces a minute", number],
  ["attention", "face the camera", percent],
  ["smiling", "smile", percent],
  ["laughs_per_minute", "laughs a minute", number],
];
const OLD_SECONDS = 15;
const TICK_MS = 500;

export function nowCard() {
  const figures = FIGURES.map(([, words]) => h("li", {}, h("b", { class: "number" }, "–"), h("span", {}, words)));
  const asOf = h("span", { class: "badge" });
  const rows = h("tbody");
  const table = h("table", { class: "table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "camera"), FIGURES.map(([, words]) => h("th", { scope: "col", class: "end" }, words)))), rows);
  const each = h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": "Each camera now", hidden: true }, table);
  const element = h("section", { class: "card now" }, h("div", { class: "row apart" }, h("h2", {}, "Now"), asOf), h("ul", { class: "big", role: "list" }, figures), each);
  let at = null;

  const tick = () => {
    if (at === null) return;
    const seconds = now() - at;
    say(asOf, `as of ${age(seconds)} ago`);
    asOf.className = `badge ${seconds > OLD_SECONDS ? "bad" : ""}`;
  };
  const timer = setInterval(tick, TICK_MS);

  return {
    element,
    close: () => clearInterval(timer),
    update(answer) {
      at = answer.now.at;
      FIGURES.forEach(([name, , words], index) => say(figures[index].firstChild, words(rounded(answer.now[name]))));
      each.hidden = answer.cameras.length < 2;
      keyed(rows, answer.cameras, ({ camera }) => camera, newRow, showRow);
      tick();
    },
  };
}

const newRow = ({ camera }) => h("tr", {}, h("th", { scope: "row" }, camera), FIGURES.map(() => h("td", { class: "number" })));

function showRow(row, camera) {
  FIGURES.forEach(([name, , words], index) => say(row.children[index + 1], words(rounded(camera[name]))));
}

const rounded = (value) => (value === null || value === undefined ? null : Math.round(value * 1000) / 1000);
