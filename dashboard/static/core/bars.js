// Parts of a whole, as bars with their figures: a table for everybody, a picture at a glance.

import { h, say } from "./dom.js";
import { keyed } from "./keyed.js";

// Returns {element, update(rows)}: a row is {name, words, share (0 to 1 of the longest bar), colour (1 to 7, perhaps)}.
export function createBars({ title, help = "", nothing = "nothing was seen in this time" }) {
  const rows = h("tbody");
  const empty = h("p", { class: "muted" }, nothing);
  const table = h("table", { class: "bars" }, h("caption", { class: "visually-hidden" }, title), rows);
  const element = h("section", { class: "card bars-card" }, h("h3", {}, title), help && h("p", { class: "muted help" }, help), empty, table);
  return {
    element,
    update(found) {
      empty.hidden = found.length > 0;
      table.hidden = !found.length;
      keyed(rows, found, ({ name }) => name, newRow, showRow);
    },
  };
}

const newRow = ({ name }) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "bar", "aria-hidden": "true" }, h("i")), h("td", { class: "number" }));

function showRow(row, { words, share, colour = 1 }) {
  const bar = row.children[1].firstChild;
  bar.style.width = `${Math.max(0, Math.min(1, share || 0)) * 100}%`;
  bar.hidden = !share;
  bar.className = `colour-${colour}`;
  say(row.lastChild, words);
}
